//! Refusals: what is wrong with a platform, where, and what to do about it.

use std::fmt;

use innkeeper_contracts::secret::masked;

pub use innkeeper_crds::refusals::Refuser;

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    pub refused_by: Refuser,
    /// The line in the file, from 1; `None` if it did not come from a file.
    pub line: Option<usize>,
    /// The path of the field, such as `spec.services[1].calls[0].service`.
    pub field_path: String,
    /// What is wrong, and what to do.
    pub message: String,
}

impl Refusal {
    /// Creates a refusal whose message does not reveal secrets of the file.
    pub(crate) fn new(refused_by: Refuser, field_path: String, message: &str) -> Self {
        Self {
            refused_by,
            line: None,
            field_path,
            message: masked(message).into_owned(),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(formatter, "line {line}: ")?;
        }
        if !self.field_path.is_empty() {
            write!(formatter, "{}: ", masked(&self.field_path))?;
        }
        formatter.write_str(&self.message)
    }
}

/// Everything that one check found wrong; never empty.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusals(pub Vec<Refusal>);

impl fmt::Display for Refusals {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, refusal) in self.0.iter().enumerate() {
            if index > 0 {
                formatter.write_str("\n")?;
            }
            refusal.fmt(formatter)?;
        }
        Ok(())
    }
}

impl std::error::Error for Refusals {}

impl Refusals {
    /// The same refusals with the line of the file for each field path.
    #[must_use]
    pub fn located(mut self, line_of: impl Fn(&str) -> Option<usize>) -> Self {
        for refusal in &mut self.0 {
            refusal.line = refusal.line.or_else(|| line_of(&refusal.field_path));
        }
        self
    }
}

/// Collects what one check finds wrong.
#[derive(Debug)]
pub(crate) struct Collector {
    refused_by: Refuser,
    found: Vec<Refusal>,
}

impl Collector {
    pub(crate) const fn new(refused_by: Refuser) -> Self {
        Self {
            refused_by,
            found: Vec::new(),
        }
    }

    pub(crate) fn refuse(&mut self, field_path: impl Into<String>, message: impl Into<String>) {
        let refusal = Refusal::new(self.refused_by, field_path.into(), &message.into());
        self.found.push(refusal);
    }

    /// Returns the value, unless something was found wrong.
    pub(crate) fn finish<T>(self, value: T) -> Result<T, Refusals> {
        if self.found.is_empty() {
            Ok(value)
        } else {
            Err(Refusals(self.found))
        }
    }
}

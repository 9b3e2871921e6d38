//! The table of refusals: what is refused, by whom first, and with which message. The API server,
//! the operator and `innkeeper validate` are tested against it. Each case changes one thing in
//! `examples/rentcar.yaml`.

mod cases;

pub use cases::CASES;

/// Who refuses something, in the order of the checks.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Refuser {
    /// The reader of the file, which is as strict as kubectl.
    Parser,
    /// The structural schema, which the API server checks.
    Schema,
    /// The rules in the schema (CEL), which the API server evaluates.
    Cel,
    /// The plan, which sees the whole platform and its executor. The operator reports it in the
    /// condition Stalled.
    Validate,
}

/// A change to the example that is refused.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is wrong, in a sentence.
    pub name: &'static str,
    /// Texts that occur exactly once in the example, with their replacements.
    pub edits: &'static [(&'static str, &'static str)],
    /// Whether the example must exist first, because only the change is refused.
    pub update: bool,
    /// Who refuses it first.
    pub refused_by: Refuser,
    /// The field path in the message of `innkeeper validate`.
    pub field_path: &'static str,
    /// A part of the message, whoever refuses the case.
    pub message: &'static str,
    /// A part of kubectl's message, if kubectl reads the file differently.
    pub kubectl: Option<&'static str>,
}

impl Case {
    /// The example with the change; `None` if one of the texts does not occur exactly once.
    pub fn apply(&self, example: &str) -> Option<String> {
        let mut text = example.to_owned();
        for (found, instead) in self.edits {
            if text.matches(found).count() != 1 {
                return None;
            }
            text = text.replace(found, instead);
        }
        Some(text)
    }

    /// A part of kubectl's message or, if kubectl accepts the file, of the operator's Stalled
    /// condition.
    pub fn on_cluster(&self) -> &'static str {
        self.kubectl.unwrap_or(self.message)
    }
}

//! The figures of a run, and the file that holds them.

use std::error::Error;
use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};

/// All figures of one run of the benchmark.
#[derive(Debug, Deserialize, PartialEq, Serialize)]
pub struct Run {
    /// The commit that was measured.
    pub commit: String,
    /// The figures, in the order in which they are shown.
    pub figures: Vec<Figure>,
}

#[derive(Clone, Debug, Deserialize, PartialEq, Serialize)]
pub struct Figure {
    /// What was measured. Goals and comparisons find a figure by this name.
    pub name: String,
    /// The value, in its unit.
    pub value: f64,
    /// The unit of the value.
    pub unit: Unit,
}

/// The unit of a figure.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Unit {
    /// Commits or reservations per second.
    PerSecond,
    /// Thousandths of a second.
    Milliseconds,
    /// Millionths of a second.
    Microseconds,
    /// 1,048,576 bytes of memory.
    Megabytes,
    /// 1,000 bytes on disk.
    Kilobytes,
    /// A number of failed requests.
    Failures,
    /// A number of reservations.
    Reservations,
}

/// Whether a higher or a lower value is the better one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Better {
    /// The higher value is better.
    Higher,
    /// The lower value is better.
    Lower,
    /// Neither is better: the value only describes the run.
    Neither,
}

impl Unit {
    /// A value with this unit, as people read it.
    pub fn show(self, value: f64) -> String {
        match self {
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Milliseconds => format!("{value:.1} ms"),
            Self::Microseconds => format!("{value:.0} µs"),
            Self::Megabytes => format!("{value:.0} MB"),
            Self::Kilobytes => format!("{value:.2} kB"),
            Self::Failures | Self::Reservations => format!("{value:.0}"),
        }
    }

    /// Which values of this unit are better.
    pub const fn better(self) -> Better {
        match self {
            Self::PerSecond => Better::Higher,
            Self::Reservations => Better::Neither,
            _ => Better::Lower,
        }
    }
}

impl Figure {
    pub fn new(name: impl Into<String>, value: f64, unit: Unit) -> Self {
        Self {
            name: name.into(),
            value,
            unit,
        }
    }

    /// The value with its unit.
    pub fn show(&self) -> String {
        self.unit.show(self.value)
    }
}

impl Run {
    /// Loads a run that was saved.
    pub fn load(file: &Path) -> Result<Self, Box<dyn Error>> {
        let text = fs::read_to_string(file)
            .map_err(|error| format!("{} cannot be read: {error}", file.display()))?;
        serde_json::from_str(&text)
            .map_err(|error| format!("{} holds no figures: {error}", file.display()).into())
    }

    /// Saves the run as JSON.
    pub fn save(&self, file: &Path) -> Result<(), Box<dyn Error>> {
        fs::write(file, format!("{}\n", serde_json::to_string_pretty(self)?))
            .map_err(|error| format!("{} cannot be written: {error}", file.display()).into())
    }

    /// The figure with this name, if it was measured.
    pub fn find(&self, name: &str) -> Option<&Figure> {
        self.figures.iter().find(|figure| figure.name == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_saved_run_is_the_same_when_it_is_loaded() {
        let run = Run {
            commit: "abc".to_owned(),
            figures: vec![Figure::new("peak memory", 114.25, Unit::Megabytes)],
        };
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        run.save(&file).unwrap();
        assert_eq!(Run::load(&file).unwrap(), run);
    }

    #[test]
    fn a_file_that_holds_no_figures_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run.json");
        assert!(
            Run::load(&file)
                .unwrap_err()
                .to_string()
                .contains("run.json cannot be read")
        );
        fs::write(&file, "[]").unwrap();
        assert!(
            Run::load(&file)
                .unwrap_err()
                .to_string()
                .contains("run.json holds no figures")
        );
    }
}

//! What is refused, by whom first, and in which words: one table that the API server, the operator and `innkeeper validate`
//! are held to. Each case changes one thing in `examples/rentcar.yaml`.

mod cases;

pub use cases::CASES;

/// Who finds out that something is wrong, in the order in which they look.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Refuser {
    /// The reader of the file, which is as strict as kubectl.
    Parser,
    /// The structural schema, which the API server holds objects to.
    Schema,
    /// The rules in the schema, which the API server evaluates.
    Cel,
    /// The plan, which sees the whole platform and where it runs: the operator says so in the condition Stalled.
    Validate,
}

/// One thing that is refused.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    /// What is wrong, in a sentence.
    pub name: &'static str,
    /// Texts of the example, each there exactly once, and what takes their place.
    pub edits: &'static [(&'static str, &'static str)],
    /// Whether the example must be there first, since only the change is wrong.
    pub update: bool,
    /// Who refuses it first.
    pub refused_by: Refuser,
    /// Where `innkeeper validate` places it.
    pub field_path: &'static str,
    /// What everyone's message contains.
    pub message: &'static str,
    /// What kubectl's message contains instead, where it reads the file otherwise.
    pub kubectl: Option<&'static str>,
}

impl Case {
    /// The file with the mistake in it; `None` when the example has changed so that an edit finds no place, or several.
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

    /// What kubectl's answer contains, or the operator's Stalled condition after it.
    pub fn on_cluster(&self) -> &'static str {
        self.kubectl.unwrap_or(self.message)
    }
}

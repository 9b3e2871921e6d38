//! Checks that comments are not wider than 100 columns. rustfmt wraps code alone.

use std::fs;

use super::sources::read_sources;
use crate::Outcome;
use crate::workspace::Workspace;

/// The widest line.
const COLUMNS: usize = 100;

/// Fails if a comment is too wide.
pub fn check(workspace: &Workspace) -> Outcome {
    let mut wide = Vec::new();
    for package in workspace.packages() {
        for source in read_sources(&package.root)? {
            let text = fs::read_to_string(&source.path)?;
            let lines = text.lines().zip(1..).filter(|(line, _)| is_wide(line));
            wide.extend(lines.map(|(_, number)| format!("{}:{number}", source.path.display())));
        }
    }
    if wide.is_empty() {
        return Ok(());
    }
    Err(format!(
        "comments of more than {COLUMNS} columns: {}",
        wide.join(", ")
    )
    .into())
}

/// Whether a line is a comment that is too wide. A link cannot be broken.
fn is_wide(line: &str) -> bool {
    let is_comment = line.trim_start().starts_with("//");
    is_comment && line.chars().count() > COLUMNS && !line.contains("https://")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_comment_without_a_link_is_too_wide() {
        let words = "word ".repeat(25);
        assert!(is_wide(&format!("    /// {words}")));
        assert!(!is_wide(&format!("    let it = {words}")));
        assert!(!is_wide(&format!("// <https://{}>", "a".repeat(100))));
        assert!(!is_wide(&format!("// {}", "\u{e9}".repeat(97))));
    }
}

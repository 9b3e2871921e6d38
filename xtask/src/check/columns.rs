//! Checks that comments and documents are not wider than 100 columns. rustfmt wraps code alone.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::sources::read_sources;
use crate::Outcome;
use crate::generated::repository;
use crate::workspace::Workspace;

/// The most columns of a line.
const COLUMNS: usize = 100;

/// The folders with documents.
const DOCUMENTS: [&str; 4] = [".", "charts/innkeeper", "docs", "docs/adr"];

/// Fails if a comment or a line of a document is too wide.
pub fn check(workspace: &Workspace) -> Outcome {
    let mut wide = Vec::new();
    for package in workspace.packages() {
        for source in read_sources(&package.root)? {
            let text = fs::read_to_string(&source.path)?;
            let lines = text.lines().zip(1..).filter(|(line, _)| is_wide(line));
            wide.extend(lines.map(|(_, number)| place(&source.path, number)));
        }
    }
    for folder in DOCUMENTS {
        for document in documents(&repository().join(folder))? {
            let text = fs::read_to_string(&document)?;
            wide.extend(wide_prose(&text).map(|number| place(&document, number)));
        }
    }
    if wide.is_empty() {
        return Ok(());
    }
    Err(format!("lines of more than {COLUMNS} columns: {}", wide.join(", ")).into())
}

fn place(path: &Path, line: usize) -> String {
    format!("{}:{line}", path.display())
}

fn documents(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.extension().is_some_and(|it| it == "md") {
            found.push(path);
        }
    }
    Ok(found)
}

/// Whether a line is a comment that is too wide. A link cannot be broken.
fn is_wide(line: &str) -> bool {
    line.trim_start().starts_with("//") && is_too_long(line)
}

fn is_too_long(line: &str) -> bool {
    line.chars().count() > COLUMNS && !line.contains("https://")
}

/// The numbers of the lines of a document that are too wide. Tables and code cannot be broken.
fn wide_prose(text: &str) -> impl Iterator<Item = usize> {
    let mut is_code = false;
    let prose = text.lines().zip(1..).filter(move |(line, _)| {
        let is_fence = line.trim_start().starts_with("```");
        is_code ^= is_fence;
        !is_code && !line.starts_with('|')
    });
    let wide = prose.filter(|(line, _)| is_too_long(line));
    wide.map(|(_, number)| number)
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

    #[test]
    fn code_and_tables_of_a_document_may_be_wide() {
        let words = "word ".repeat(25);
        let text = format!("# Title\n\n{words}\n\n| {words} |\n\n```\n{words}\n```\n\n- {words}\n");
        assert_eq!(wide_prose(&text).collect::<Vec<_>>(), [3, 11]);
    }
}

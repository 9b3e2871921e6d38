//! Checks that the files and tests that documents name are there.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::sources::{read_sources, vocabulary};
use crate::Outcome;
use crate::generated::repository;
use crate::workspace::Workspace;

/// The documents that describe the code as it is.
const DOCUMENTS: [&str; 3] = ["README.md", "CONTRIBUTING.md", "docs/architecture.md"];

/// Fails if a document names a file or a test that does not exist.
pub fn check(workspace: &Workspace) -> Outcome {
    let mut sources = Vec::new();
    for package in workspace.packages() {
        sources.extend(read_sources(&package.root)?);
    }
    let words = vocabulary(sources.iter().map(|source| source.text.as_str()));
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = fs::read_to_string(repository().join(document))?;
        let names = missing_names(&text, repository(), &words);
        missing.extend(names.map(|name| format!("{document} names {name}")));
    }
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("{}, which does not exist", missing.join(", ")).into())
}

/// What a text names in backticks and what is neither below `root` nor among the words of the code.
fn missing_names<'a>(
    text: &'a str,
    root: &'a Path,
    words: &'a BTreeSet<&str>,
) -> impl Iterator<Item = &'a str> {
    code_spans(text).filter(move |span| {
        (is_path(span, root) && !root.join(span).exists())
            || (is_test(span) && !words.contains(span))
    })
}

/// The texts between backticks, outside of blocks of code.
fn code_spans(text: &str) -> impl Iterator<Item = &str> {
    let prose = text.split("```").step_by(2);
    prose.flat_map(|part| part.split('`').skip(1).step_by(2))
}

/// Whether this is a path that begins in a folder of `root`.
fn is_path(span: &str, root: &Path) -> bool {
    let is_plain = |it: char| it.is_ascii_alphanumeric() || "/._-".contains(it);
    let first = span.split_once('/').map(|(first, _)| first);
    span.chars().all(is_plain) && first.is_some_and(|it| !it.is_empty() && root.join(it).is_dir())
}

/// Whether this looks like the name of a test, which is a whole sentence.
fn is_test(span: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '_';
    span.chars().all(is_plain) && span.matches('_').count() >= 3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documents_of_this_workspace_name_what_is_there() {
        check(&Workspace::load().unwrap()).unwrap();
    }

    #[test]
    fn a_file_or_a_test_that_is_gone_is_found() {
        let root = tempfile::tempdir().unwrap();
        fs::create_dir_all(root.path().join("crds/src")).unwrap();
        let words = BTreeSet::from(["a_test_that_is_there"]);
        let text = "`crds/src`, `crds/gone.rs` (`a_test_that_is_there`, `a_test_that_is_gone`), \
            `GET /crds`, `other/gone.rs`, `crds/{a,b}`\n```\n`crds/block.rs`\n```\n";
        let missing: Vec<_> = missing_names(text, root.path(), &words).collect();
        assert_eq!(missing, ["crds/gone.rs", "a_test_that_is_gone"]);
    }
}

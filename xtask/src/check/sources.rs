//! Reads the Rust files of a package, and splits them into words.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// A Rust file.
pub struct Source {
    /// Path of the file.
    pub path: PathBuf,
    /// Text of the file, without comments.
    pub text: String,
    /// Whether the whole file is for tests.
    pub is_test: bool,
}

impl Source {
    /// The part of the file that belongs to the product. A test module is at the end of its file.
    pub fn product(&self) -> &str {
        if self.is_test {
            return "";
        }
        let tests = self.text.find("#[cfg(test)]\nmod tests {");
        let tests = tests.or_else(|| self.text.find("#[cfg(test)]\npub(super) mod tests {"));
        &self.text[..tests.unwrap_or(self.text.len())]
    }
}

/// Reads the Rust files below a folder, except those of packages within it.
pub fn read_sources(root: &Path) -> io::Result<Vec<Source>> {
    let mut found = Vec::new();
    let mut folders = vec![root.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let path = entry?.path();
            if path.is_dir() {
                if !path.join("Cargo.toml").exists() {
                    folders.push(path);
                }
            } else if path.extension().is_some_and(|it| it == "rs") {
                found.push(read_source(root, path)?);
            }
        }
    }
    Ok(found)
}

fn read_source(root: &Path, path: PathBuf) -> io::Result<Source> {
    let text = fs::read_to_string(&path)?;
    let code = text.lines().map(|line| match line.trim_start() {
        comment if comment.starts_with("//") => "",
        _ => line,
    });
    let below = path.strip_prefix(root).unwrap_or(&path);
    Ok(Source {
        text: code.collect::<Vec<_>>().join("\n"),
        is_test: below.starts_with("tests") || below.ends_with("tests.rs"),
        path,
    })
}

/// The words of a text: names, keywords, and words in strings.
pub fn words(text: &str) -> impl Iterator<Item = &str> {
    let is_word = |it: char| it.is_alphanumeric() || it == '_';
    text.split(move |it| !is_word(it))
        .filter(|it| !it.is_empty())
}

/// The distinct words of texts.
pub fn vocabulary<'a>(texts: impl Iterator<Item = &'a str>) -> BTreeSet<&'a str> {
    texts.flat_map(words).collect()
}

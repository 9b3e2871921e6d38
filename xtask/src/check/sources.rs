//! Reads the Rust files of a package, and splits them into words.

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

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

    /// The names from the root of the package in this folder down to the module of the file.
    pub fn module_path(&self, package: &Path) -> Vec<String> {
        let sources = package.join("src");
        let below = self.path.strip_prefix(sources).unwrap_or(&self.path);
        let names = below.with_extension("");
        let names = names.iter().map(|it| it.to_string_lossy().into_owned());
        let is_root = |name: &String| name == "lib" || name == "main";
        names.filter(|it| !is_root(it)).collect()
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
    mark_test_modules(&mut found);
    Ok(found)
}

/// Marks the files of modules that are compiled for tests only.
fn mark_test_modules(sources: &mut [Source]) {
    let tests: BTreeSet<PathBuf> = sources.iter().flat_map(test_modules).collect();
    for source in sources {
        source.is_test |= tests.contains(&source.path);
    }
}

/// The files of the modules that a file declares for tests only, such as `#[cfg(test)] mod name;`.
fn test_modules(source: &Source) -> Vec<PathBuf> {
    let stem = source.path.file_stem().unwrap_or_default();
    let parent = source.path.parent().unwrap_or(&source.path);
    let folder = if stem == "lib" || stem == "main" {
        parent.to_owned()
    } else {
        parent.join(stem)
    };
    let lines: Vec<_> = source.text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter_map(|pair| {
        let gate = ["#[cfg(test)]", "#[cfg(any(test,"];
        let is_gated = gate.iter().any(|gate| pair[0].starts_with(gate));
        let module = pair[1].strip_prefix("pub ").unwrap_or(pair[1]);
        let name = module.strip_prefix("mod ")?.strip_suffix(';')?;
        is_gated.then(|| folder.join(format!("{name}.rs")))
    });
    declared.collect()
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

#[cfg(test)]
mod tests {
    use super::*;

    fn source(path: &str, text: &str) -> Source {
        Source {
            path: path.into(),
            text: text.to_owned(),
            is_test: false,
        }
    }

    #[test]
    fn a_module_that_only_tests_have_is_no_part_of_the_product() {
        let mut sources = [
            source(
                "src/lib.rs",
                "#[cfg(any(test, feature = \"f\"))]\npub mod fixtures;\nmod plan;",
            ),
            source("src/fixtures.rs", ""),
            source("src/plan.rs", "#[cfg(test)]\nmod cases;"),
            source("src/plan/cases.rs", ""),
            source("src/cases.rs", ""),
        ];
        mark_test_modules(&mut sources);
        let marked = sources.map(|it| it.is_test);
        assert_eq!(marked, [false, true, false, true, false]);
    }
}

//! Finds unused code: dependencies that a package does not name, and public items that no other
//! line names. The compiler warns only about private ones. An item whose name stands anywhere else,
//! be it as another word or in a text, is not found.

use std::collections::HashMap;

use super::sources::{Source, read_sources, vocabulary, words};
use crate::Outcome;
use crate::workspace::{Package, Workspace};

/// Packages that are only for tests. Everything in them is used by tests alone.
const FOR_TESTS: [&str; 2] = ["innkeeper-e2e", "innkeeper-testkit"];

/// Public items that are kept although only tests use them: `check_update`, because the table of
/// refusals contains changes of a platform, which no file alone can express; `silent`, with which
/// the tests of the cluster's harness start a cluster; `change_password` of a broker that tests of
/// the program start.
const USED_BY_TESTS: [&str; 3] = ["change_password", "check_update", "silent"];

/// Keywords that come before the name of an item.
const ITEMS: [&str; 7] = ["fn", "struct", "enum", "trait", "type", "static", "const"];

/// Fails if anything is unused.
pub fn check(workspace: &Workspace) -> Outcome {
    let mut product = Vec::new();
    let mut unused = Vec::new();
    for package in workspace.packages() {
        let sources = read_sources(&package.root)?;
        let is_for_tests = FOR_TESTS.contains(&package.name.as_str());
        unused.extend(unused_dependencies(package, &sources, is_for_tests));
        if !is_for_tests {
            product.extend(sources);
        }
    }
    unused.extend(unused_items(&product));
    if unused.is_empty() {
        return Ok(());
    }
    Err(format!("unused: {}; remove it", unused.join(", ")).into())
}

fn unused_dependencies(package: &Package, sources: &[Source], is_for_tests: bool) -> Vec<String> {
    let product = sources.iter().filter(|it| !it.is_test);
    let product = vocabulary(product.map(|it| it.text.as_str()));
    let all = vocabulary(sources.iter().map(|it| it.text.as_str()));
    let is_unused = |name: &str, is_dev| {
        let crate_name = name.replace('-', "_");
        let words = if is_dev || is_for_tests {
            &all
        } else {
            &product
        };
        !words.contains(crate_name.as_str())
    };
    let dependencies = package.dependencies.iter();
    dependencies
        .filter(|it| is_unused(&it.name, it.is_dev))
        .map(|it| format!("{} of {}", it.name, package.name))
        .collect()
}

/// The public items whose name occurs only in their definition.
fn unused_items(product: &[Source]) -> Vec<String> {
    let mut counts = HashMap::<&str, usize>::new();
    for word in product.iter().flat_map(|it| words(it.product())) {
        *counts.entry(word).or_default() += 1;
    }
    let items = product.iter().flat_map(|source| {
        let items = source.product().lines().filter_map(public_item);
        items.map(move |item| (item, source))
    });
    items
        .filter(|(item, _)| counts.get(item) == Some(&1) && !USED_BY_TESTS.contains(item))
        .map(|(item, source)| format!("{item} in {}", source.path.display()))
        .collect()
}

/// The name of the public item that a line defines.
fn public_item(line: &str) -> Option<&str> {
    let line = line.trim_start();
    let mut words = line.starts_with("pub").then(|| words(line))?;
    words.find(|word| ITEMS.contains(word))?;
    words.find(|word| *word != "fn")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn source(text: &str) -> Source {
        Source {
            path: "any.rs".into(),
            text: text.to_owned(),
            is_test: false,
        }
    }

    #[test]
    fn an_item_that_only_tests_name_is_unused() {
        let tested = "pub const fn dead() {}\n#[cfg(test)]\nmod tests {\n    dead();\n}\n";
        assert_eq!(unused_items(&[source(tested)]), ["dead in any.rs"]);
        let used = [source("pub(crate) fn alive() {}"), source("alive();")];
        assert!(unused_items(&used).is_empty());
    }

    #[test]
    fn a_dependency_that_no_file_names_is_unused() {
        let package = Package {
            name: "innkeeper-kit".to_owned(),
            root: ".".into(),
            dependencies: ["serde-json", "jiff"]
                .map(|name| Dependency {
                    name: name.to_owned(),
                    is_dev: false,
                })
                .into(),
        };
        let sources = [source("use serde_json::Value;")];
        let unused = unused_dependencies(&package, &sources, false);
        assert_eq!(unused, ["jiff of innkeeper-kit"]);
    }
}

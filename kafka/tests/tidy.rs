//! Rules for the whole repository about Kafka clients and `unsafe`.
#![expect(
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// The crate that configures every client, and the only one that may call C.
const THIS: &str = "kafka";

/// Tests from the outside, which have plain clients of their own.
const BLACK_BOX: [&str; 2] = ["e2e", "operator/cli/tests"];

fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// The files with this name or ending, with their paths relative to the repository.
fn files(ending: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut folders = vec![repository()];
    while let Some(folder) = folders.pop() {
        let entries =
            fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        for path in entries.flatten().map(|entry| entry.path()) {
            let name = path.file_name().unwrap_or_default().to_string_lossy();
            if path.is_dir() && !name.starts_with('.') && name != "target" {
                folders.push(path);
            } else if name.ends_with(ending) {
                let text = fs::read_to_string(&path).unwrap_or_default();
                let path = path.strip_prefix(repository()).unwrap_or(&path);
                found.push((path.to_path_buf(), text));
            }
        }
    }
    found
}

fn outside(places: &[&str], path: &Path) -> bool {
    places.iter().all(|place| !path.starts_with(place))
}

#[test]
fn every_client_is_set_up_in_one_place() {
    let mut allowed = BLACK_BOX.to_vec();
    allowed.push(THIS);
    let word = concat!("ClientConfig", "::new");
    let others: Vec<_> = files(".rs")
        .into_iter()
        .filter(|(path, text)| outside(&allowed, path) && text.contains(word))
        .map(|(path, _)| path)
        .collect();
    assert!(
        others.is_empty(),
        "use innkeeper_kafka::client_config, so that no client makes topics by looking: {others:?}"
    );
}

#[test]
fn one_crate_may_say_unsafe() {
    let crates: Vec<_> = files("Cargo.toml")
        .into_iter()
        .filter(|(path, _)| path != Path::new("Cargo.toml"))
        .collect();
    assert!(crates.len() > 10, "the crates were not found: {crates:?}");
    for (path, manifest) in crates {
        let forbids = manifest.contains("[lints]\nworkspace = true");
        assert_eq!(
            forbids,
            outside(&[THIS], &path),
            "{}: every crate but {THIS} forbids unsafe code",
            path.display()
        );
    }
}

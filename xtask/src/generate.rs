//! `cargo xtask generate`: the files that are made from the code, and whether they still are.

use std::collections::BTreeSet;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use innkeeper_plan::permissions::{Permission, Role, permissions};

use crate::Outcome;
use crate::bench;
use crate::chart;
use crate::generated::{Generated, repository};

/// The folder of the definitions, which people who install without Helm apply too.
const DEFINITIONS: &str = "charts/innkeeper/definitions";

/// The folder of the rules of the chart's roles.
const RULES: &str = "charts/innkeeper/rules";

/// The arguments of the chore.
#[derive(Args)]
pub struct Arguments {
    /// Changes nothing; fails if a file is not what would be written
    #[arg(long)]
    pub check: bool,
}

/// Carries the chore out.
pub fn run(arguments: &Arguments) -> Outcome {
    let mut files = from_code();
    files.push(bench::page()?);
    if arguments.check {
        files.extend(chart::rendered()?);
        return refuse(&stale(&files)?);
    }
    // The chart is rendered with its definitions and rules in place.
    write(&files)?;
    write(&chart::rendered()?)
}

/// What follows from the code alone.
fn from_code() -> Vec<Generated> {
    let mut files = definitions();
    files.extend(Role::ALL.map(rules));
    files
}

/// The rules of a role.
fn rules(role: Role) -> Generated {
    let given = permissions().iter().filter(|it| it.role == role);
    let rules: String = given.map(rule).collect();
    Generated {
        path: Path::new(RULES).join(format!("{}.yaml", role.name())),
        text: format!(
            "# Generated from operator/plan/src/permissions.rs by `cargo xtask generate`; do not edit.\n{rules}"
        ),
    }
}

/// A rule in flow style, so that it can be read at a glance.
fn rule(permission: &Permission) -> String {
    format!(
        "- apiGroups: [\"{}\"]\n  resources: [{}]\n  verbs: [{}]\n",
        permission.group,
        permission.resource,
        permission.verbs.join(", ")
    )
}

/// The definitions of all kinds.
fn definitions() -> Vec<Generated> {
    let files = innkeeper_crds::generate().into_iter();
    files
        .map(|(name, text)| Generated {
            path: Path::new(DEFINITIONS).join(name),
            text,
        })
        .collect()
}

fn write(files: &[Generated]) -> Outcome {
    for path in stale(files)? {
        let target = repository().join(&path);
        if let Some(file) = files.iter().find(|file| file.path == path) {
            fs::create_dir_all(target.parent().unwrap_or(repository()))?;
            fs::write(&target, &file.text)?;
            println!("wrote {}", path.display());
        } else {
            fs::remove_file(&target)?;
            println!("removed {}", path.display());
        }
    }
    Ok(())
}

fn refuse(stale: &[PathBuf]) -> Outcome {
    if stale.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = stale
        .iter()
        .map(|path| path.display().to_string())
        .collect();
    Err(format!(
        "stale: {}; run: cargo xtask generate, and look at the difference",
        list.join(", ")
    )
    .into())
}

/// The files that differ from what they should be, are missing, or lie in a generated folder
/// although nothing makes them.
fn stale(files: &[Generated]) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let differing = files.iter().filter(|file| {
        fs::read_to_string(repository().join(&file.path))
            .ok()
            .as_ref()
            != Some(&file.text)
    });
    let mut stale: BTreeSet<PathBuf> = differing.map(|file| file.path.clone()).collect();
    for folder in [DEFINITIONS, RULES] {
        if files.iter().any(|file| file.path.starts_with(folder)) {
            stale.extend(orphans(Path::new(folder), files)?);
        }
    }
    Ok(stale.into_iter().collect())
}

fn orphans(folder: &Path, files: &[Generated]) -> Result<Vec<PathBuf>, Box<dyn Error>> {
    let target = repository().join(folder);
    if !target.exists() {
        return Ok(Vec::new());
    }
    let mut orphans = Vec::new();
    for entry in fs::read_dir(target)? {
        let path = folder.join(entry?.file_name());
        if files.iter().all(|file| file.path != path) {
            orphans.push(path);
        }
    }
    Ok(orphans)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_definitions_and_rules_are_those_of_the_code() {
        assert_eq!(
            stale(&from_code()).unwrap(),
            Vec::<PathBuf>::new(),
            "run: cargo xtask generate"
        );
    }
}

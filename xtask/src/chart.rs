//! The Helm chart: what it renders, and what it refuses.

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use innkeeper_cluster::command::{CommandError, read_output};
use innkeeper_cluster::parts::{PartError, go};

use crate::Outcome;
use crate::generated::{Generated, repository};

const CHART: &str = "charts/innkeeper";

/// A folder for each case: its `values.yaml`, and the `rendered.yaml` that comes of them.
const RENDERED: &str = "charts/tests/rendered";

/// A file of values for each case that the chart refuses; its first line is a comment with a part
/// of the message.
const REFUSED: &str = "charts/tests/refused";

/// What Helm takes the cluster for when it has none.
const KUBERNETES: &str = "1.34.4";

/// Lints the chart, and looks whether it installs the definitions and refuses what it should.
pub fn check() -> Outcome {
    let mut lint = helm()?;
    lint.args([
        "lint",
        "--strict",
        "--quiet",
        "--kube-version",
        KUBERNETES,
        CHART,
    ]);
    read_output(&mut lint)?;
    installs_the_definitions()?;
    for values in entries(Path::new(REFUSED))? {
        refuses(&values)?;
    }
    Ok(())
}

fn installs_the_definitions() -> Outcome {
    let rendered = read_output(&mut template()?)?;
    for (name, definition) in innkeeper_crds::generate() {
        if rendered.matches(definition.trim_end()).count() != 1 {
            return Err(format!("the chart does not install {name} once, as it is").into());
        }
    }
    Ok(())
}

/// What the chart renders in each case.
pub fn rendered() -> Result<Vec<Generated>, Box<dyn Error>> {
    entries(Path::new(RENDERED))?
        .into_iter()
        .map(|case| {
            let text = read_output(template()?.arg("--values").arg(case.join("values.yaml")))?;
            Ok(Generated {
                path: case.join("rendered.yaml"),
                text: format!(
                    "# Generated from values.yaml by `cargo xtask generate`; do not edit.\n{text}"
                ),
            })
        })
        .collect()
}

fn refuses(values: &Path) -> Outcome {
    let case = values.display();
    let text = fs::read_to_string(repository().join(values))?;
    let expected = text.lines().next().and_then(|line| line.strip_prefix("# "));
    let expected = expected.ok_or_else(|| format!("{case}: the first line names no message"))?;
    match read_output(template()?.arg("--values").arg(values)) {
        Err(CommandError::Failed { tail, .. }) if tail.contains(expected) => Ok(()),
        Err(CommandError::Failed { tail, .. }) => {
            Err(format!("{case} is refused otherwise than with {expected:?}: {tail}").into())
        }
        Err(error) => Err(error.into()),
        Ok(_) => Err(format!("{case} is not refused").into()),
    }
}

/// `helm template`, which takes further arguments.
fn template() -> Result<Command, PartError> {
    let mut command = helm()?;
    command.args(["template", "innkeeper", CHART]);
    command.args(["--namespace", "innkeeper-system"]);
    command.args(["--kube-version", KUBERNETES]);
    Ok(command)
}

/// Helm in the repository's root, built first if it is not there.
fn helm() -> Result<Command, PartError> {
    let mut command = Command::new(go::ensure_helm()?);
    command.current_dir(repository());
    Ok(command)
}

/// What is in a folder of the repository, as sorted paths from the root.
fn entries(folder: &Path) -> Result<Vec<PathBuf>, std::io::Error> {
    let mut entries = Vec::new();
    for entry in fs::read_dir(repository().join(folder))? {
        entries.push(folder.join(entry?.file_name()));
    }
    entries.sort();
    Ok(entries)
}

#[cfg(test)]
mod tests {
    use innkeeper_plan::permissions::Role;

    use super::*;

    #[test]
    fn a_template_of_the_chart_gives_the_rules_of_each_role() {
        let templates = entries(&Path::new(CHART).join("templates")).unwrap();
        let texts: Vec<_> = templates
            .iter()
            .map(|file| fs::read_to_string(repository().join(file)).unwrap())
            .collect();
        for role in Role::ALL {
            let rules = format!("rules/{}.yaml", role.name());
            assert!(texts.iter().any(|it| it.contains(&rules)), "{rules}");
        }
    }
}

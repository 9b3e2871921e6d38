//! Checks which packages of this workspace depend on which.

use crate::Outcome;
use crate::workspace::{Package, Workspace};

/// The packages that a package may depend on, except in its tests. Components depend neither on one
/// another nor on storage and brokers, which `host` gives them; the plan depends on no executor.
const ALLOWED: [(&str, &[&str]); 22] = [
    (
        "innkeeper",
        &[
            "broker",
            "contracts",
            "controller",
            "crds",
            "host",
            "kit",
            "local",
            "plan",
            "runtime",
        ],
    ),
    ("innkeeper-booking", COMPONENT),
    ("innkeeper-broker", &["contracts", "kafka", "kit"]),
    ("innkeeper-cluster", &["image"]),
    ("innkeeper-contracts", &[]),
    (
        "innkeeper-controller",
        &["contracts", "crds", "kafka", "plan", "runtime"],
    ),
    ("innkeeper-crds", &["contracts"]),
    ("innkeeper-e2e", &["cluster", "crds"]),
    ("innkeeper-fulfillment", COMPONENT),
    ("innkeeper-gateway", &["contracts", "runtime"]),
    (
        "innkeeper-host",
        &[
            "booking",
            "contracts",
            "fulfillment",
            "gateway",
            "kit",
            "payment",
            "runtime",
            "storage",
            "view",
        ],
    ),
    ("innkeeper-image", &[]),
    ("innkeeper-kafka", &["contracts"]),
    ("innkeeper-kit", &["contracts"]),
    (
        "innkeeper-local",
        &["contracts", "host", "kit", "plan", "storage"],
    ),
    ("innkeeper-payment", COMPONENT),
    ("innkeeper-plan", &["contracts", "crds"]),
    ("innkeeper-runtime", &["contracts", "kit"]),
    ("innkeeper-storage", &["broker", "contracts", "kit"]),
    ("innkeeper-testkit", &["contracts", "kit"]),
    ("innkeeper-view", COMPONENT),
    ("xtask", &["cluster", "crds", "image", "plan"]),
];

/// The packages that a component may depend on.
const COMPONENT: &[&str] = &["contracts", "kit", "runtime"];

/// The packages that are pure, so that they must not depend on libraries for IO.
const PURE: [&str; 4] = [
    "innkeeper-contracts",
    "innkeeper-crds",
    "innkeeper-kit",
    "innkeeper-plan",
];

const IO: [&str; 10] = [
    "axum",
    "deadpool-postgres",
    "hyper",
    "hyper-util",
    "rdkafka",
    "rusqlite",
    "tokio",
    "tokio-postgres",
    "tower",
    "ureq",
];

/// Fails if a package depends on something that it must not.
pub fn check(workspace: &Workspace) -> Outcome {
    let refused: Vec<_> = workspace.packages().iter().flat_map(refused).collect();
    if refused.is_empty() {
        return Ok(());
    }
    Err(format!(
        "{}; who may import whom stands in xtask/src/check/imports.rs",
        refused.join("; ")
    )
    .into())
}

fn refused(package: &Package) -> Vec<String> {
    let Package { name, .. } = package;
    let Some((_, allowed)) = ALLOWED.iter().find(|(known, _)| known == name) else {
        return vec![format!("nothing says what {name} may import")];
    };
    let is_pure = PURE.contains(&name.as_str());
    let imports = || package.dependencies.iter().filter(|it| !it.is_dev);
    let is_refused = |imported: &str| match imported.strip_prefix("innkeeper-") {
        Some(ours) => !allowed.contains(&ours),
        None => is_pure && IO.contains(&imported),
    };
    let is_idle = |ours: &str| !imports().any(|it| it.name == format!("innkeeper-{ours}"));
    let refused = imports()
        .filter(|it| is_refused(&it.name))
        .map(|it| format!("{name} must not import {}", it.name));
    let idle = allowed
        .iter()
        .filter(|ours| is_idle(ours))
        .map(|ours| format!("{name} may import {ours} and does not"));
    refused.chain(idle).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workspace::Dependency;

    fn package(name: &str, imported: &str, is_dev: bool) -> Package {
        Package {
            name: name.to_owned(),
            root: ".".into(),
            dependencies: vec![Dependency {
                name: imported.to_owned(),
                is_dev,
            }],
        }
    }

    #[test]
    fn this_workspace_imports_what_it_may() {
        check(&Workspace::load().unwrap()).unwrap();
    }

    #[test]
    fn a_component_that_imports_another_is_refused() {
        let refused = refused(&package("innkeeper-booking", "innkeeper-payment", false));
        assert_eq!(
            refused[0],
            "innkeeper-booking must not import innkeeper-payment"
        );
    }

    #[test]
    fn a_permission_that_nobody_uses_is_refused() {
        let refused = refused(&package("innkeeper-crds", "serde", false));
        assert_eq!(
            refused,
            ["innkeeper-crds may import contracts and does not"]
        );
    }

    #[test]
    fn a_pure_package_that_does_io_is_refused_and_its_tests_may() {
        let rusqlite = |is_dev| refused(&package("innkeeper-kit", "rusqlite", is_dev));
        let refused = "innkeeper-kit must not import rusqlite";
        assert_eq!(rusqlite(false)[0], refused);
        assert!(!rusqlite(true).contains(&refused.to_owned()));
    }

    #[test]
    fn a_package_that_nobody_knows_is_refused() {
        let refused = refused(&package("innkeeper-new", "serde", false));
        assert_eq!(refused, ["nothing says what innkeeper-new may import"]);
    }
}

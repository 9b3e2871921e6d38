//! Checks what is accepted, and the table of refusals, against the real API server and operator.

use innkeeper_crds::refusals::{CASES, Case, Refuser};
use innkeeper_e2e::kubernetes::PLATFORMS;
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::{claims, example};

const REFUSALS: Namespace = Namespace("refusals");

pub fn lane() -> Lane {
    Lane {
        name: "refusals",
        namespaces: &["refusals"],
        claims: claims![
            the_api_server_accepts_every_object_of_the_plan,
            the_api_server_refuses_as_the_table_says,
            the_operator_refuses_as_the_table_says,
        ],
    }
}

fn cases(are_for_operator: bool) -> impl Iterator<Item = &'static Case> {
    let concerns = move |case: &&Case| (case.refused_by == Refuser::Validate) == are_for_operator;
    CASES.iter().filter(|case| !case.update).filter(concerns)
}

/// Asks the API server whether it accepts a manifest, without storing it.
const TRY: [&str; 3] = ["apply", "--dry-run=server", "--validate=strict"];

/// The objects of the example, from the plan's golden file.
const OBJECTS: &str = include_str!(
    "../../../operator/plan/src/render/snapshots/innkeeper_plan__render__tests__rentcar.snap"
);

fn the_api_server_accepts_every_object_of_the_plan() {
    REFUSALS.create();
    REFUSALS.kubectl_with_file(&TRY, &example::text()).unwrap();
    let (_, objects) = OBJECTS
        .trim_start_matches("---")
        .split_once("---\n")
        .expect("a golden file has a head");
    let objects = objects.replace("namespace: default", "namespace: refusals");
    let accepted = REFUSALS.kubectl_with_file(&TRY, &objects).unwrap();
    assert_eq!(
        accepted.lines().count(),
        objects.matches("\napiVersion").count() + 1
    );
}

fn the_api_server_refuses_as_the_table_says() {
    let example = example::text();
    let mut wrong = Vec::new();
    for case in cases(false) {
        let manifest = case.apply(&example).expect("every edit finds its place");
        match REFUSALS.kubectl_with_file(&TRY, &manifest) {
            Ok(_) => wrong.push(format!("{}: nobody refuses it", case.name)),
            Err(said) if said.contains(case.on_cluster()) => {}
            // kubectl escapes quotes within quotes.
            Err(said) if said.replace('\\', "").contains(case.on_cluster()) => {}
            Err(said) => wrong.push(format!("{}: {said}", case.name)),
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn the_operator_refuses_as_the_table_says() {
    let example = example::text();
    let mut manifests = Vec::new();
    for (number, case) in cases(true).enumerate() {
        let manifest = case.apply(&example).expect("every edit finds its place");
        manifests.push(manifest.replacen("name: rentcar\n", &format!("name: case-{number}\n"), 1));
    }
    REFUSALS.apply(&manifests.join("\n---\n"));
    for (number, case) in cases(true).enumerate() {
        let said = REFUSALS.await_state(PLATFORMS, &format!("case-{number}"), "Stalled");
        assert!(
            said.contains(case.field_path) && said.contains(case.on_cluster()),
            "{}: {said}",
            case.name
        );
    }
    REFUSALS
        .kubectl(&["delete", "bookingplatforms", "--all"])
        .unwrap();
}

//! The table of refusals, held against the real API server and the operator.

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
            the_api_server_refuses_as_the_table_says,
            the_operator_refuses_as_the_table_says,
        ],
    }
}

fn cases(are_for_operator: bool) -> impl Iterator<Item = &'static Case> {
    let concerns = move |case: &&Case| (case.refused_by == Refuser::Validate) == are_for_operator;
    CASES.iter().filter(|case| !case.update).filter(concerns)
}

fn the_api_server_refuses_as_the_table_says() {
    REFUSALS.create();
    let example = example::text();
    let create = ["apply", "--dry-run=server", "--validate=strict"];
    REFUSALS.kubectl_with_file(&create, &example).unwrap();
    let mut wrong = Vec::new();
    for case in cases(false) {
        let manifest = case.apply(&example).expect("every edit finds its place");
        match REFUSALS.kubectl_with_file(&create, &manifest) {
            Ok(_) => wrong.push(format!("{}: nobody refuses it", case.name)),
            Err(said) if said.contains(case.on_cluster()) => {}
            // kubectl writes quotes within quotes.
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
            said.contains(case.place) && said.contains(case.on_cluster()),
            "{}: {said}",
            case.name
        );
    }
    REFUSALS
        .kubectl(&["delete", "bookingplatforms", "--all"])
        .unwrap();
}

//! `innkeeper validate` is held to the table of refusals.

use std::fs;
use std::path::Path;

use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_crds::refusals::{CASES, Case};
use innkeeper_plan::read::check_update;
use innkeeper_plan::{ClusterDefaults, Executor, PlatformFile, Refusals, read, validate};

fn example() -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/rentcar.yaml");
    fs::read_to_string(file).expect("the example is there")
}

fn cluster() -> Executor {
    Executor::Cluster(ClusterDefaults {
        bootstrap_servers: Some("kafka:9092".to_owned()),
        database: Some(Postgres {
            host: "postgres".to_owned(),
            port: 5432,
            database: "innkeeper".to_owned(),
            secret_ref: SecretRef {
                name: "innkeeper-database".to_owned(),
            },
        }),
        image: "innkeeper:test".to_owned(),
    })
}

fn only_platform(text: &str) -> Result<PlatformFile, Refusals> {
    Ok(read(text)?.platforms.remove(0))
}

fn outcome(case: &Case, example: &str) -> Result<(), Refusals> {
    let text = case
        .apply(example)
        .unwrap_or_else(|| panic!("{}: the example has changed", case.name));
    let new = only_platform(&text)?;
    if case.update {
        let old = only_platform(example)?;
        check_update(&old.platform, &new.platform)?;
    }
    validate(&new.platform, &cluster()).map(|_| ())
}

#[test]
fn every_case_is_refused_by_whom_and_as_the_table_says() {
    let example = example();
    let mut wrong = Vec::new();
    for case in CASES {
        let refusals = match outcome(case, &example) {
            Ok(()) => {
                wrong.push(format!("{}: nobody refuses it", case.name));
                continue;
            }
            Err(refusals) => refusals.0,
        };
        let as_said = refusals.iter().any(|refusal| {
            refusal.step == case.refused_by
                && refusal.place == case.place
                && refusal.message.contains(case.message)
        });
        if !as_said {
            wrong.push(format!("{}: {refusals:#?}", case.name));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_case_has_its_own_name() {
    let mut names: Vec<_> = CASES.iter().map(|case| case.name).collect();
    names.sort_unstable();
    let all = names.len();
    names.dedup();
    assert_eq!(names.len(), all);
}

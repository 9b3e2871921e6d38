//! Checks `innkeeper validate` against the table of refusals.

use innkeeper_crds::refusals::{CASES, Case};
use innkeeper_plan::read::check_update;
use innkeeper_plan::{Refusals, validate};

use super::fixtures::{cluster, example, only_platform};

fn outcome(case: &Case, example: &str) -> Result<(), Refusals> {
    let text = case
        .apply(example)
        .expect("every edit finds its field_path in the example");
    let new = only_platform(&text)?;
    if case.update {
        let old = only_platform(example)?;
        check_update(&old.platform, &new.platform)?;
    }
    validate(&new.platform, &cluster()).map(|_| ())
}

#[test]
fn every_case_is_refused_as_the_table_says() {
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
            refusal.refused_by == case.refused_by
                && refusal.field_path == case.field_path
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

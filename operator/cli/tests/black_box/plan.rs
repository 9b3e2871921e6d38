//! `innkeeper plan` as part of a pipe.

use std::fs;
use std::process::{Command, Stdio};

use crate::platform::{Platform, changed, example};

fn plan(rentcar: &Platform, files: &[&str]) -> Command {
    let mut plan = Command::new(env!("CARGO_BIN_EXE_innkeeper"));
    plan.arg("plan").args(files).current_dir(rentcar.folder());
    plan
}

#[test]
fn every_object_of_every_file_is_printed() {
    let rentcar = Platform::rentcar();
    let output = plan(&rentcar, &["rentcar.yaml"]).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success());
    for kind in ["EventTopic", "Deployment", "HorizontalPodAutoscaler"] {
        assert!(printed.contains(&format!("\nkind: {kind}\n")), "{kind}");
    }
}

#[test]
fn a_reader_may_leave_early() {
    let rentcar = Platform::rentcar();
    let mut plan = plan(&rentcar, &["rentcar.yaml"]);
    let mut plan = plan
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    drop(plan.stdout.take());
    assert_eq!(plan.wait().unwrap().code(), Some(0));
}

#[test]
fn nothing_is_printed_when_a_file_is_refused() {
    let rentcar = Platform::rentcar();
    let wrong = changed(&example(), "currency: KRW", "currency: won");
    fs::write(rentcar.folder().join("wrong.yaml"), wrong).unwrap();
    let output = plan(&rentcar, &["rentcar.yaml", "wrong.yaml"])
        .output()
        .unwrap();
    assert_eq!((output.status.code(), output.stdout.len()), (Some(2), 0));
}

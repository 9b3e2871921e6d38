//! What `validate` and `plan` read: files as people have them, and as kubectl prints objects.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::platform::example;

/// Runs a command in a folder with this on its standard input.
fn run(folder: &TempDir, arguments: &[&str], input: &[u8]) -> Output {
    let mut innkeeper = Command::new(env!("CARGO_BIN_EXE_innkeeper"))
        .args(arguments)
        .current_dir(folder.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    innkeeper.stdin.take().unwrap().write_all(input).unwrap();
    innkeeper.wait_with_output().unwrap()
}

fn validate(file: &[u8]) -> Output {
    run(&TempDir::new().unwrap(), &["validate", "-"], file)
}

fn said(output: &Output) -> String {
    let both = [&output.stdout[..], &output.stderr].concat();
    String::from_utf8(both).unwrap()
}

/// The example as kubectl prints it once it runs.
fn as_kubectl_prints_it() -> Value {
    let mut platform: Value = serde_yaml::from_str(&example()).unwrap();
    let metadata = json!({
        "annotations": { "kubectl.kubernetes.io/last-applied-configuration": "{}\n" },
        "creationTimestamp": "2026-11-29T10:00:00Z",
        "deletionGracePeriodSeconds": 0,
        "deletionTimestamp": "2026-11-29T11:00:00Z",
        "finalizers": ["foregroundDeletion"],
        "generateName": "rent",
        "generation": 2,
        "labels": { "team": "rent" },
        "managedFields": [{
            "apiVersion": "innkeeper.dev/v1alpha1",
            "fieldsType": "FieldsV1",
            "fieldsV1": { "f:spec": { ".": {}, "f:services": { "k:{\"name\":\"pay\"}": { ".": {} } } } },
            "manager": "kubectl-client-side-apply",
            "operation": "Update",
            "time": "2026-11-29T10:00:00Z",
        }],
        "name": "rentcar",
        "namespace": "shop",
        "ownerReferences": [{ "apiVersion": "v1", "kind": "ConfigMap", "name": "owner", "uid": "1" }],
        "resourceVersion": "12345",
        "selfLink": "/apis/innkeeper.dev/v1alpha1/namespaces/shop/bookingplatforms/rentcar",
        "uid": "0192f0c1-2f6a-7c3e-9d64-3a4f1b2c5d6e",
    });
    platform["metadata"] = metadata;
    platform["status"] =
        json!({ "observedGeneration": 2, "ofALaterRelease": [1], "topic": "kept" });
    platform
}

/// YAML as kubectl writes it: it puts instants in quotes.
fn printed(object: &Value) -> String {
    let text = serde_yaml::to_string(object).unwrap();
    let instants = ["2026-11-29T10:00:00Z", "2026-11-29T11:00:00Z"];
    instants.iter().fold(text, |text, instant| {
        text.replace(instant, &format!("\"{instant}\""))
    })
}

#[test]
fn what_kubectl_prints_of_a_platform_is_valid_and_keeps_its_topic() {
    let output = validate(printed(&as_kubectl_prints_it()).as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    for part in [
        "standard input: rentcar is valid, with 5 services",
        "of the status of rentcar only image and topic count",
    ] {
        assert!(said(&output).contains(part), "{}", said(&output));
    }
    let folder = TempDir::new().unwrap();
    let planned = run(
        &folder,
        &["plan", "-"],
        printed(&as_kubectl_prints_it()).as_bytes(),
    );
    assert!(
        said(&planned).contains("topicName: kept"),
        "{}",
        said(&planned)
    );
}

#[test]
fn a_list_is_read_item_by_item_and_keeps_the_lines_of_its_faults() {
    let list = |kind: &str, api_version: &str| {
        json!({
            "apiVersion": api_version,
            "kind": kind,
            "metadata": { "resourceVersion": "" },
            "items": [as_kubectl_prints_it(), { "apiVersion": "v1", "kind": "Secret", "metadata": { "name": "s" } }],
        })
    };
    for list in [
        list("List", "v1"),
        list("BookingPlatformList", "innkeeper.dev/v1alpha1"),
    ] {
        let printed = printed(&list);
        let output = validate(printed.as_bytes());
        assert!(output.status.success(), "{}", said(&output));
        assert!(
            said(&output).contains("Secret s is left alone"),
            "{}",
            said(&output)
        );

        let wrong = printed.replace("currency: KRW", "currency: won");
        let line = wrong
            .lines()
            .position(|line| line.contains("currency: won"));
        let output = validate(wrong.as_bytes());
        assert_eq!(output.status.code(), Some(2));
        let place = format!("standard input: line {}: spec.currency", line.unwrap() + 1);
        assert!(
            said(&output).contains(&place),
            "{place} in {}",
            said(&output)
        );
    }
}

#[test]
fn a_byte_order_mark_is_no_part_of_a_file_and_another_encoding_is_named() {
    let output = validate(format!("\u{feff}{}", example()).as_bytes());
    assert!(output.status.success(), "{}", said(&output));
    let little: Vec<u8> = "\u{feff}a: 1"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    let big: Vec<u8> = "\u{feff}a: 1"
        .encode_utf16()
        .flat_map(u16::to_be_bytes)
        .collect();
    for utf_16 in [little[2..].to_vec(), big[2..].to_vec(), little, big] {
        let output = validate(&utf_16);
        assert_eq!(output.status.code(), Some(2));
        let expected = "cannot read standard input: it is UTF-16: save it as UTF-8";
        assert!(said(&output).contains(expected), "{}", said(&output));
    }
    let output = validate(b"a: caf\xe9");
    let expected = "it is not UTF-8, from byte 7 on: save it as UTF-8";
    assert!(said(&output).contains(expected), "{}", said(&output));
}

#[test]
fn two_descriptions_of_one_platform_are_refused_with_both_files() {
    let folder = TempDir::new().unwrap();
    fs::write(folder.path().join("a.yaml"), example()).unwrap();
    let elsewhere = example().replace("name: rentcar\n", "name: rentcar\n  namespace: elsewhere\n");
    fs::write(folder.path().join("b.yaml"), elsewhere).unwrap();
    let twins = "the platform rentcar is described twice, in a.yaml and in";
    for command in ["validate", "plan", "dev"] {
        let output = run(&folder, &[command, "a.yaml", "a.yaml"], b"");
        assert_eq!(output.status.code(), Some(2), "{command}");
        let expected = format!("{twins} a.yaml: remove one, or give it another name");
        assert!(said(&output).contains(&expected), "{}", said(&output));
    }
    assert!(
        run(&folder, &["validate", "a.yaml", "b.yaml"], b"")
            .status
            .success()
    );
    assert!(
        run(&folder, &["plan", "a.yaml", "b.yaml"], b"")
            .status
            .success()
    );
    let in_one_namespace =
        |command| [command, "--namespace", "elsewhere", "a.yaml", "b.yaml"].to_vec();
    for arguments in [
        in_one_namespace("validate"),
        in_one_namespace("plan"),
        vec!["dev", "a.yaml", "b.yaml"],
    ] {
        let output = run(&folder, &arguments, b"");
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(said(&output).contains(twins), "{}", said(&output));
    }
}

#[test]
fn a_value_of_a_wrong_type_is_called_that() {
    for (found, wrong, expected) in [
        (
            "kind: BookingPlatform\n",
            "kind: 5\n",
            r#"kind: Invalid value: "integer": kind in body must be of type string: "integer""#,
        ),
        (
            "metadata:\n  name: rentcar\n",
            "metadata: 5\n",
            r#"metadata: Invalid value: "integer": metadata in body must be of type object: "integer""#,
        ),
        (
            "name: rentcar\n",
            "name: 12345\n",
            r#"metadata.name: Invalid value: "integer": metadata.name in body must be of type string: "integer""#,
        ),
        (
            "name: rentcar\n",
            "name: rentcar\n  labels: { a: 1 }\n",
            r#"metadata.labels.a: Invalid value: "integer""#,
        ),
        (
            "name: rentcar\n",
            "name: rentcar\n  colour: red\n",
            r#"metadata.colour: unknown field "metadata.colour""#,
        ),
    ] {
        let output = validate(example().replacen(found, wrong, 1).as_bytes());
        assert_eq!(output.status.code(), Some(2), "{wrong}");
        assert!(said(&output).contains(expected), "{}", said(&output));
        assert!(!said(&output).contains("required"), "{}", said(&output));
    }
}

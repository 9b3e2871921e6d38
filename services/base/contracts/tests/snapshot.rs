//! A snapshot as it travels in calls, events and rows.

use innkeeper_contracts::Snapshot;
use serde_json::json;

fn read(attributes: &str) -> Result<Snapshot, serde_json::Error> {
    serde_json::from_str(&format!("{{\"attributes\":{attributes}}}"))
}

#[test]
fn attributes_of_every_declared_type_are_read_as_they_were_written() {
    let written = r#"{"b":true,"n":-9223372036854775808,"t":"1.2345678901234568e+22"}"#;
    let snapshot = read(written).expect("these can be declared");
    assert_eq!(snapshot.attributes["n"], json!(i64::MIN));
    let again = serde_json::to_value(&snapshot).expect("a snapshot can be written");
    assert_eq!(again["attributes"].to_string(), written);
}

#[test]
fn an_attribute_given_twice_is_refused() {
    for twice in [r#"{"a":1,"a":1}"#, r#"{"a":"1","b":2,"\u0061":"1"}"#] {
        let refused = read(twice).expect_err(twice).to_string();
        assert!(
            refused.starts_with("duplicate attribute `a` at"),
            "{refused}"
        );
    }
}

#[test]
fn an_attribute_that_nobody_can_have_declared_is_refused() {
    for value in [
        "1.10",
        "1e2",
        "9223372036854775808",
        "12345678901234567890123",
        "null",
        "[1]",
        r#"{"a":1,"a":2}"#,
    ] {
        let refused = read(&format!("{{\"a\":{value}}}"))
            .expect_err(value)
            .to_string();
        let expected = "expected a text, a whole number of 64 bits, true or false";
        assert!(refused.contains(expected), "{value}: {refused}");
    }
}

//! Explains a failure with conditions, events and the logs of pods.

use std::fmt::Write as _;

use crate::kubernetes::{DOMAIN_SERVICES, EVENTS, PLATFORMS, PODS, TOPICS, name, text};
use crate::namespace::Namespace;

/// How many of the last lines of each log are shown.
const LINES: &str = "--tail=25";

/// A report about the state of namespaces.
pub fn of(namespaces: &[&'static str]) -> String {
    let mut report = String::new();
    for namespace in namespaces {
        writeln!(report, "--- namespace {namespace}").unwrap();
        conditions(&mut report, Namespace(namespace));
        pods(&mut report, Namespace(namespace));
        events(&mut report, Namespace(namespace));
        logs(&mut report, Namespace(namespace));
    }
    report
}

fn conditions(report: &mut String, namespace: Namespace) {
    for kind in [PLATFORMS, DOMAIN_SERVICES, TOPICS] {
        for object in namespace.list(kind) {
            let (name, status) = (name(&object), &object["status"]);
            writeln!(report, "{} {name}: {status}", kind.plural).unwrap();
        }
    }
}

/// Reports what keeps pods from serving, such as a node without room for them.
fn pods(report: &mut String, namespace: Namespace) {
    for pod in namespace.list(PODS) {
        let (name, status) = (name(&pod), &pod["status"]);
        let (phase, containers) = (&status["phase"], &status["containerStatuses"]);
        writeln!(report, "pod {name}: {phase}: {containers}").unwrap();
        let conditions = status["conditions"].as_array();
        for condition in conditions.into_iter().flatten() {
            if condition["status"] == "False" {
                let (kind, why) = (text(&condition["type"]), text(&condition["message"]));
                writeln!(report, "pod {name}: not {kind}: {why}").unwrap();
            }
        }
    }
}

/// Reports events, warnings first, because the report may be cut at the end.
fn events(report: &mut String, namespace: Namespace) {
    let mut events = namespace.list(EVENTS);
    events.sort_by_key(|event| event["type"] != "Warning");
    for event in events {
        let regarding = &event["regarding"];
        let (kind, name) = (text(&regarding["kind"]), text(&regarding["name"]));
        let (reason, note) = (text(&event["reason"]), text(&event["note"]));
        writeln!(report, "event: {kind} {name}: {reason}: {note}").unwrap();
    }
}

fn logs(report: &mut String, namespace: Namespace) {
    for pod in namespace.list(PODS) {
        let name = name(&pod);
        let log = namespace.kubectl(&["logs", LINES, &name]);
        let log = log.unwrap_or_else(|error| error);
        writeln!(report, "--- log of pod {name}\n{log}").unwrap();
    }
}

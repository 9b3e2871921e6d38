//! What explains a failure: conditions, events, and the logs of pods.

use std::fmt::Write as _;

use crate::kubernetes::{DOMAIN_SERVICES, EVENTS, PLATFORMS, PODS, TOPICS, name, text};
use crate::namespace::Namespace;

/// How many of a pod's last lines are shown.
const LINES: &str = "--tail=25";

/// The state of namespaces, for people to read.
pub fn of(namespaces: &[&'static str]) -> String {
    let mut report = String::new();
    for namespace in namespaces {
        writeln!(report, "--- namespace {namespace}").unwrap();
        conditions(&mut report, Namespace(namespace));
        events(&mut report, Namespace(namespace));
        pods(&mut report, Namespace(namespace));
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

fn events(report: &mut String, namespace: Namespace) {
    for event in namespace.list(EVENTS) {
        let regarding = &event["regarding"];
        let (kind, name) = (text(&regarding["kind"]), text(&regarding["name"]));
        let (reason, note) = (text(&event["reason"]), text(&event["note"]));
        writeln!(report, "event: {kind} {name}: {reason}: {note}").unwrap();
    }
}

fn pods(report: &mut String, namespace: Namespace) {
    for pod in namespace.list(PODS) {
        let name = name(&pod);
        let (phase, states) = (&pod["status"]["phase"], &pod["status"]["containerStatuses"]);
        writeln!(report, "pod {name}: {phase}: {states}").unwrap();
        let log = namespace.kubectl(&["logs", LINES, &name]);
        writeln!(report, "{}", log.unwrap_or_else(|error| error)).unwrap();
    }
}

//! The operator is uninstalled, and what it has created stays.

use std::collections::BTreeMap;
use std::thread;
use std::time::{Duration, Instant};

use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{PLATFORMS, PODS};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::operator::{self, NAMESPACE};
use innkeeper_e2e::{claims, kafka};

use crate::webhooks;

const KEPT: Namespace = Namespace("kept");

pub fn lane() -> Lane {
    Lane {
        name: "farewell",
        namespaces: &["innkeeper-system", "kept"],
        claims: claims![
            kafka_has_no_topic_that_nobody_described,
            a_new_operator_writes_nothing_that_is_in_place,
            without_its_operator_a_platform_goes_on,
        ],
    }
}

fn kafka_has_no_topic_that_nobody_described() {
    assert_eq!(kafka::fetch_undescribed(), Vec::<String>::new());
}

/// How long to watch a new operator.
const WATCHED: Duration = Duration::from_mins(1);

fn a_new_operator_writes_nothing_that_is_in_place() {
    KEPT.create();
    KEPT.create_secret();
    webhooks::take_counts();
    let restart = ["rollout", "restart", "deployment", "innkeeper"];
    NAMESPACE.kubectl(&restart).unwrap();
    let status = ["rollout", "status", "deployment", "innkeeper"];
    NAMESPACE.kubectl(&status).unwrap();
    let began = Instant::now();
    // While it leaves other objects alone, it still works.
    KEPT.apply(&Example::small("kept").manifest());
    KEPT.await_ready("kept");
    thread::sleep(WATCHED.saturating_sub(began.elapsed()));
    assert_eq!(webhooks::take_counts(), BTreeMap::new());
}

fn without_its_operator_a_platform_goes_on() {
    operator::helm(&["uninstall", operator::RELEASE, "--wait"]).unwrap();
    NAMESPACE.until("the operator is gone", || {
        match NAMESPACE.list(PODS).len() {
            0 => Ok(()),
            count => Err(format!("{count} pods")),
        }
    });
    assert!(KEPT.find(PLATFORMS, "kept").is_some());
    assert_eq!(
        KEPT.read("/reservations")["_embedded"]["reservations"],
        serde_json::json!([])
    );
}

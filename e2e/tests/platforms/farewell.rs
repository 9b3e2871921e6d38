//! The operator goes; what it has made stays.

use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{PLATFORMS, PODS};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::operator::{self, NAMESPACE};
use innkeeper_e2e::{claims, kafka};

const KEPT: Namespace = Namespace("kept");

pub fn lane() -> Lane {
    Lane {
        name: "farewell",
        namespaces: &["innkeeper-system", "kept"],
        claims: claims![
            kafka_has_no_topic_that_nobody_described,
            without_its_operator_a_platform_goes_on,
        ],
    }
}

fn kafka_has_no_topic_that_nobody_described() {
    assert_eq!(kafka::undescribed(), Vec::<String>::new());
}

fn without_its_operator_a_platform_goes_on() {
    KEPT.create();
    KEPT.create_secret();
    KEPT.apply(&Example::small("kept").manifest());
    KEPT.await_ready("kept");
    operator::helm(&["uninstall", operator::RELEASE, "--wait"]).unwrap();
    NAMESPACE.until("the operator is gone", || {
        match NAMESPACE.list(PODS).len() {
            0 => Ok(()),
            count => Err(format!("{count} pods")),
        }
    });
    assert!(KEPT.object(PLATFORMS, "kept").is_some());
    assert_eq!(
        KEPT.read("/reservations")["_embedded"]["reservations"],
        serde_json::json!([])
    );
}

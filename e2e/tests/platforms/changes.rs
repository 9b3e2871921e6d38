//! Changes to a running platform: what they affect, and what they do not.

mod configuration;
mod order;
mod rollout;
mod start;

use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use serde_json::json;

const COTTAGE: Namespace = Namespace("cottage");

pub fn lane() -> Lane {
    Lane {
        name: "changes",
        namespaces: &["cottage"],
        claims: claims![
            start::a_name_that_belongs_to_someone_else_is_left_alone,
            start::callers_wait_for_a_callee_that_is_not_ready,
            start::probes_of_ones_own_are_in_the_pods,
            configuration::a_change_of_configuration_rolls_its_readers_and_nobody_else,
            configuration::an_old_config_map_stays_as_long_as_its_replica_set,
            rollout::a_rolling_change_under_load_drops_no_request,
            rollout::idleness_changes_nothing,
            order::the_same_services_in_another_order_write_nothing,
            rollout::a_removed_service_takes_its_objects_with_it,
        ],
    }
}

/// The platform of this lane, which has probes of its own.
fn cottage() -> Example {
    let probes = json!({
        "liveness": { "tcpSocket": { "port": 8080 }, "periodSeconds": 7 },
        "readiness": { "httpGet": { "path": "/readyz", "port": 9090 }, "periodSeconds": 1, "timeoutSeconds": 1 },
        "startup": { "exec": { "command": ["/innkeeper", "--version"] }, "periodSeconds": 5, "timeoutSeconds": 3, "failureThreshold": 90 },
    });
    let autoscaling = json!({ "maxReplicas": 2, "targetCPUUtilizationPercentage": 1000 });
    Example::small("cottage")
        .with_service("pay", "probes", probes)
        .with_service("myreservation", "autoscaling", autoscaling)
}

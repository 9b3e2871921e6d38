//! The probes of a pod: what the user configures, and the admin API by default.

use innkeeper_contracts::pod::{ADMIN_PORT, LIVEZ, READYZ, STARTUPZ};
use innkeeper_crds::workload::{Probe, Probes};
use k8s_openapi::api::core::v1::{self as core, ExecAction, HTTPGetAction, TCPSocketAction};
use k8s_openapi::apimachinery::pkg::util::intstr::IntOrString;

/// What a probe does by default.
struct Default {
    path: &'static str,
    period_seconds: u32,
    timeout_seconds: u32,
    failure_threshold: u32,
}

/// A start waits for the database, the broker and the first assignment of partitions.
const STARTUP: Default = Default {
    path: STARTUPZ,
    period_seconds: 1,
    timeout_seconds: 1,
    failure_threshold: 180,
};
const LIVENESS: Default = Default {
    path: LIVEZ,
    period_seconds: 10,
    timeout_seconds: 5,
    failure_threshold: 3,
};
const READINESS: Default = Default {
    path: READYZ,
    period_seconds: 2,
    timeout_seconds: 2,
    failure_threshold: 2,
};

/// The startup probe. The other probes wait until it succeeds.
pub(super) fn startup(probes: Option<&Probes>) -> core::Probe {
    probe(probes.and_then(|it| it.startup.as_ref()), &STARTUP)
}

/// The liveness probe. A pod that fails it is restarted.
pub(super) fn liveness(probes: Option<&Probes>) -> core::Probe {
    probe(probes.and_then(|it| it.liveness.as_ref()), &LIVENESS)
}

/// The readiness probe. A pod that fails it is taken out of its Service.
pub(super) fn readiness(probes: Option<&Probes>) -> core::Probe {
    probe(probes.and_then(|it| it.readiness.as_ref()), &READINESS)
}

fn probe(given: Option<&Probe>, default: &Default) -> core::Probe {
    let given = given.cloned().unwrap_or_default();
    let longest = given.timeout_seconds.unwrap_or(default.period_seconds);
    let period = given
        .period_seconds
        .unwrap_or_else(|| default.period_seconds.max(longest));
    let timeout = given
        .timeout_seconds
        .unwrap_or_else(|| default.timeout_seconds.min(period));
    let failures = given.failure_threshold.unwrap_or(default.failure_threshold);
    let mut probe = core::Probe {
        initial_delay_seconds: given.initial_delay_seconds.map(u32::cast_signed),
        period_seconds: Some(period.cast_signed()),
        timeout_seconds: Some(timeout.cast_signed()),
        success_threshold: given.success_threshold.map(u32::cast_signed),
        failure_threshold: Some(failures.cast_signed()),
        termination_grace_period_seconds: given.termination_grace_period_seconds.map(i64::from),
        ..core::Probe::default()
    };
    act(&mut probe, &given, default.path);
    probe
}

fn act(probe: &mut core::Probe, given: &Probe, default_path: &str) {
    if let Some(exec) = &given.exec {
        probe.exec = Some(ExecAction {
            command: Some(exec.command.clone()),
        });
    } else if let Some(tcp) = &given.tcp_socket {
        probe.tcp_socket = Some(TCPSocketAction {
            port: IntOrString::Int(i32::from(tcp.port)),
            host: None,
        });
    } else {
        let (path, port) = given.http_get.as_ref().map_or_else(
            || (default_path.to_owned(), ADMIN_PORT),
            |get| (get.path.clone(), get.port),
        );
        probe.http_get = Some(HTTPGetAction {
            path: Some(path),
            port: IntOrString::Int(i32::from(port)),
            ..HTTPGetAction::default()
        });
    }
}

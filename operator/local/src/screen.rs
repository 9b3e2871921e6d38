//! The first screen of `innkeeper dev`: what runs where, and what differs from a cluster.

use std::fmt::Write as _;
use std::net::SocketAddr;

use innkeeper_plan::{ValidatedPlatform, ValidatedService};

use crate::platform::{Options, Platform};

/// The screen of a running platform, as text.
pub fn screen(
    platform: &Platform,
    plan: &ValidatedPlatform,
    options: &Options,
    admin: SocketAddr,
) -> String {
    let mut text = format!("\n{}\n\n", platform.name);
    let rows = rows(platform, plan, options);
    let widths = [0, 1].map(|column| {
        rows.iter()
            .map(|row| row[column].len())
            .max()
            .unwrap_or_default()
    });
    for [service, state, url] in &rows {
        line(
            &mut text,
            format_args!("  {service:<0$}  {state:<1$}  {url}", widths[0], widths[1]),
        );
    }
    line(
        &mut text,
        format_args!("\n  probes, metrics, settings   http://{admin}/"),
    );
    line(
        &mut text,
        format_args!("  data                        {}", platform.data.display()),
    );
    line(&mut text, format_args!("\nDifferent from a cluster:"));
    for difference in differences(plan) {
        line(&mut text, format_args!("  - {difference}"));
    }
    line(
        &mut text,
        format_args!("\nCtrl-C ends it; started again it goes on where it was.\n"),
    );
    text
}

fn line(text: &mut String, content: std::fmt::Arguments) {
    writeln!(text, "{content}").expect("a String takes every text");
}

fn rows(platform: &Platform, plan: &ValidatedPlatform, options: &Options) -> Vec<[String; 3]> {
    let mut rows = vec![["SERVICE".to_owned(), "STATE".to_owned(), "URL".to_owned()]];
    for running in &platform.services {
        let state = if running.service.health.readiness().ok {
            "ready"
        } else {
            "starting"
        };
        let url = format!("http://{}{}", running.address, running.path);
        rows.push([running.service.name.clone(), state.to_owned(), url]);
    }
    let left_out = plan
        .services
        .iter()
        .filter(|service| options.without.contains(&service.name));
    rows.extend(
        left_out.map(|service| [service.name.clone(), "left out".to_owned(), "-".to_owned()]),
    );
    rows
}

/// What works differently in one process, or has no effect there.
fn differences(plan: &ValidatedPlatform) -> Vec<String> {
    let mut found = vec![
        "rows and events of all services are in one SQLite file; there is no Kafka".to_owned(),
        "every service has one instance; nothing restarts it or routes around it".to_owned(),
    ];
    found.extend(plan.services.iter().flat_map(service_differences));
    found
}

fn service_differences(service: &ValidatedService) -> Vec<String> {
    let workload = &service.workload;
    let probes = workload.probes.as_ref();
    let exec = probes.is_some_and(|probes| {
        let all = [&probes.liveness, &probes.readiness, &probes.startup];
        all.into_iter().flatten().any(|probe| probe.exec.is_some())
    });
    let named = [
        (workload.autoscaling.is_some(), "autoscaling"),
        (
            workload.replicas.is_some_and(|replicas| replicas != 1),
            "replicas",
        ),
        (workload.resources.is_some(), "resources"),
        (exec, "exec probes"),
        (workload.secrets.is_some(), "secrets"),
        (workload.scheduling.is_some(), "scheduling"),
        (workload.disruption_budget.is_some(), "disruptionBudget"),
    ];
    let absent: Vec<&str> = named
        .into_iter()
        .filter(|(there, _)| *there)
        .map(|(_, name)| name)
        .collect();
    if absent.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "{}: {} have no effect",
        service.name,
        absent.join(", ")
    )]
}

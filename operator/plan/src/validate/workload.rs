//! Checks how services run: refuses what the API server would refuse in the rendered objects.

use innkeeper_crds::BookingPlatformSpec;
use innkeeper_crds::workload::{Quantity, Resources, Workload};

use crate::refusal::Collector;

/// Prefixes of labels and annotations that users must not set.
const OURS: [&str; 2] = ["innkeeper.dev/", "app.kubernetes.io/"];

pub(super) fn check(spec: &BookingPlatformSpec, collector: &mut Collector) {
    for (index, service) in spec.services.iter().enumerate() {
        let field_path = format!("spec.services[{index}]");
        let workload = &service.workload;
        check_resources(workload.resources.as_ref(), &field_path, collector);
        check_variables(workload, &field_path, collector);
        check_files(workload, &field_path, collector);
        check_labels(workload, &field_path, collector);
    }
}

fn check_resources(resources: Option<&Resources>, field_path: &str, collector: &mut Collector) {
    let requests = resources.and_then(|resources| resources.requests.as_ref());
    let limits = resources.and_then(|resources| resources.limits.as_ref());
    let (Some(requests), Some(limits)) = (requests, limits) else {
        return;
    };
    let mut check = |name: &str, request: &Option<Quantity>, limit: &Option<Quantity>| {
        let (Some(request), Some(limit)) = (request, limit) else {
            return;
        };
        if request.thousandths() > limit.thousandths() {
            collector.refuse(
                format!("{field_path}.resources.requests.{name}"),
                format!(
                    "a pod cannot request {} and be limited to {}: lower the request or raise the limit",
                    request.0, limit.0
                ),
            );
        }
    };
    check("cpu", &requests.cpu, &limits.cpu);
    check("memory", &requests.memory, &limits.memory);
}

fn check_variables(workload: &Workload, field_path: &str, collector: &mut Collector) {
    let plain = workload.config.iter().flat_map(|config| config.env.keys());
    let secret = workload
        .secrets
        .iter()
        .flat_map(|secrets| secrets.env.keys());
    for (field, name) in plain
        .map(|name| ("config", name))
        .chain(secret.map(|name| ("secrets", name)))
    {
        if !is_variable(name) {
            collector.refuse(
                format!("{field_path}.{field}.env"),
                format!("{name} cannot name an environment variable: use letters, digits and underscores, and begin with a letter or an underscore"),
            );
        }
    }
    let secrets = workload.secrets.as_ref();
    for name in workload.config.iter().flat_map(|config| config.env.keys()) {
        if secrets.is_some_and(|secrets| secrets.env.contains_key(name)) {
            collector.refuse(
                format!("{field_path}.secrets.env"),
                format!("the variable {name} is in config as well: keep one of them"),
            );
        }
    }
}

fn is_variable(name: &str) -> bool {
    let first = name.bytes().next().unwrap_or(b'0');
    !first.is_ascii_digit()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

fn check_files(workload: &Workload, field_path: &str, collector: &mut Collector) {
    for name in workload
        .config
        .iter()
        .flat_map(|config| config.files.keys())
    {
        let fits = (1..=253).contains(&name.len())
            && !matches!(name.as_str(), "." | "..")
            && name
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte));
        if !fits {
            collector.refuse(
                format!("{field_path}.config.files"),
                format!("{name} cannot name a file here: use letters, digits, hyphens, points and underscores"),
            );
        }
    }
}

fn check_labels(workload: &Workload, field_path: &str, collector: &mut Collector) {
    let labels = workload.labels.keys().map(|key| ("labels", key));
    let annotations = workload.annotations.keys().map(|key| ("annotations", key));
    for (field, key) in labels.chain(annotations) {
        if OURS.iter().any(|prefix| key.starts_with(prefix)) {
            collector.refuse(
                format!("{field_path}.{field}"),
                format!("{key} is Innkeeper's own: choose another key"),
            );
        } else if !is_qualified_name(key) {
            collector.refuse(
                format!("{field_path}.{field}"),
                format!("{key} is no key that Kubernetes takes: write NAME or DOMAIN/NAME, each of letters, digits, hyphens, points and underscores"),
            );
        }
    }
    for (key, value) in &workload.labels {
        if !value.is_empty() && !is_label_name(value) {
            collector.refuse(
                format!("{field_path}.labels.{key}"),
                "this is no value of a label: use at most 63 letters, digits, hyphens, points and underscores, with a letter or digit at both ends",
            );
        }
    }
}

fn is_qualified_name(key: &str) -> bool {
    match key.split_once('/') {
        None => is_label_name(key),
        Some((domain, name)) => {
            let is_part = |part: &str| is_label_name(part) && !part.contains('_');
            domain.len() <= 253 && domain.split('.').all(is_part) && is_label_name(name)
        }
    }
}

fn is_label_name(text: &str) -> bool {
    let ends = [text.bytes().next(), text.bytes().last()];
    text.len() <= 63
        && ends
            .iter()
            .all(|end| end.is_some_and(|byte| byte.is_ascii_alphanumeric()))
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"-._".contains(&byte))
}

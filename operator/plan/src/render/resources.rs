//! CPU and memory of a pod: what the user configures, and defaults that never contradict it.

use std::collections::BTreeMap;

use innkeeper_crds::workload::resources::ResourceAmounts;
use innkeeper_crds::workload::{Quantity, Resources};
use k8s_openapi::api::core::v1::ResourceRequirements;
use k8s_openapi::apimachinery::pkg::api::resource as api;

/// Default request and limit of one resource.
struct Default {
    name: &'static str,
    request: &'static str,
    limit: &'static str,
}

const CPU: Default = Default {
    name: "cpu",
    request: "100m",
    limit: "1",
};
const MEMORY: Default = Default {
    name: "memory",
    request: "64Mi",
    limit: "256Mi",
};

/// The requests and limits of the container.
pub(super) fn requirements(resources: Option<&Resources>) -> ResourceRequirements {
    let requests = resources.and_then(|it| it.requests.as_ref());
    let limits = resources.and_then(|it| it.limits.as_ref());
    let cpu = pair(
        &CPU,
        chosen(requests, |it| &it.cpu),
        chosen(limits, |it| &it.cpu),
    );
    let memory = pair(
        &MEMORY,
        chosen(requests, |it| &it.memory),
        chosen(limits, |it| &it.memory),
    );
    ResourceRequirements {
        requests: Some(by_name([(&CPU, cpu.0), (&MEMORY, memory.0)])),
        limits: Some(by_name([(&CPU, cpu.1), (&MEMORY, memory.1)])),
        claims: None,
    }
}

fn chosen(
    amounts: Option<&ResourceAmounts>,
    resource: fn(&ResourceAmounts) -> &Option<Quantity>,
) -> Option<&str> {
    amounts
        .and_then(|amounts| resource(amounts).as_ref())
        .map(|Quantity(text)| text.as_str())
}

/// The request and the limit of one resource. A request must not exceed its limit, so a default is
/// adjusted to the other value if the user gives only that.
fn pair<'a>(
    default: &Default,
    request: Option<&'a str>,
    limit: Option<&'a str>,
) -> (&'a str, &'a str) {
    let amount = |text: &str| Quantity(text.to_owned()).thousandths();
    let above = |one: &str, other: &str| amount(one) > amount(other);
    match (request, limit) {
        (Some(request), Some(limit)) => (request, limit),
        (Some(request), None) if above(request, default.limit) => (request, request),
        (None, Some(limit)) if above(default.request, limit) => (limit, limit),
        _ => (
            request.unwrap_or(default.request),
            limit.unwrap_or(default.limit),
        ),
    }
}

fn by_name<const N: usize>(amounts: [(&Default, &str); N]) -> BTreeMap<String, api::Quantity> {
    amounts
        .into_iter()
        .map(|(default, text)| (default.name.to_owned(), api::Quantity(text.to_owned())))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_default_never_contradicts_the_user() {
        assert_eq!(pair(&CPU, None, None), ("100m", "1"));
        assert_eq!(pair(&CPU, Some("2"), None), ("2", "2"));
        assert_eq!(pair(&CPU, Some("200m"), None), ("200m", "1"));
        assert_eq!(pair(&MEMORY, None, Some("32Mi")), ("32Mi", "32Mi"));
        assert_eq!(pair(&MEMORY, None, Some("1Gi")), ("64Mi", "1Gi"));
        assert_eq!(pair(&CPU, Some("200m"), Some("500m")), ("200m", "500m"));
    }
}

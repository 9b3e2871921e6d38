//! The status of a service.

use innkeeper_crds::{DomainService, DomainServiceStatus};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;

use super::encryption::Encryption;
use crate::verdict::{self, Verdict};

/// The status of a service. Without a Deployment the numbers of pods are left out.
pub fn status(
    service: &DomainService,
    deployment: Option<&Deployment>,
    verdict: &Verdict,
    encryption: Encryption,
    now: Timestamp,
) -> DomainServiceStatus {
    let before = service.status.clone().unwrap_or_default();
    let wanted = deployment.and_then(|it| it.spec.as_ref()?.replicas);
    let ready = deployment.map(|it| {
        let status = it.status.as_ref();
        status.and_then(|status| status.ready_replicas).unwrap_or(0)
    });
    let count = |pods: i32| u32::try_from(pods).unwrap_or(0);
    DomainServiceStatus {
        observed_generation: service.metadata.generation.unwrap_or_default(),
        conditions: verdict::conditions(
            verdict,
            service.metadata.generation,
            &before.conditions,
            now,
        ),
        component: Some(service.spec.settings.component.name().to_owned()),
        replicas: wanted.map(count),
        ready_replicas: ready.map(count),
        database_tls: encryption.database,
        kafka_tls: encryption.kafka,
    }
}

#[cfg(test)]
mod tests {
    use crate::verdict::Reason;
    use serde_json::json;

    use super::*;

    fn service() -> DomainService {
        let mut service = crate::fixtures::service("gateway", &json!({}));
        service.status =
            serde_json::from_value(json!({ "replicas": 2, "readyReplicas": 2 })).unwrap();
        service
    }

    #[test]
    fn pods_that_nobody_looked_at_are_not_counted() {
        let verdict = Verdict::reconciling(Reason::WaitingForCallee, "waits for pay");
        let unknown = Encryption::default();
        let status = status(&service(), None, &verdict, unknown, Timestamp::UNIX_EPOCH);
        assert_eq!((status.replicas, status.ready_replicas), (None, None));
    }

    #[test]
    fn pods_that_serve_are_counted_while_something_is_refused() {
        let deployment: Deployment = serde_json::from_value(json!({
            "spec": { "replicas": 3, "selector": {}, "template": {} },
            "status": { "readyReplicas": 2 },
        }))
        .unwrap();
        let verdict = Verdict::stalled(Reason::Refused, "Service pay is refused");
        let (unknown, now) = (Encryption::default(), Timestamp::UNIX_EPOCH);
        let status = status(&service(), Some(&deployment), &verdict, unknown, now);
        assert_eq!((status.replicas, status.ready_replicas), (Some(3), Some(2)));
    }
}

//! A DomainService becomes a Deployment, a Service and what belongs to them.
//!
//! Its steps: [`fetch`] what there is, [`plan`] what to do about it, [`apply`] that, say how it stands ([`conditions`]).

mod apply;
pub(crate) mod conditions;
mod fetch;
mod findings;
mod lost_pods;
pub(crate) mod others;
mod plan;

use std::sync::Arc;
use std::time::Duration;

use innkeeper_crds::{DomainService, DomainServiceStatus};
use innkeeper_plan::validate_service;
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::Deployment;
use kube::runtime::controller::Action;

use self::findings::Findings;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::Notes;
use crate::status::apply_status;
use crate::verdict::{self, State, Verdict};
use crate::{events, requeue};

/// Brings a service a step nearer to how it should be.
pub(crate) async fn reconcile(service: DomainService, ctx: Arc<Context>) -> Result<Action, Error> {
    if service.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let fetch::Found {
        claims,
        unready,
        deployment,
        findings,
    } = fetch::fetch(&ctx, &service).await?;
    lost_pods::adopt(&ctx, &service, &findings.lost_pods).await?;
    let mut notes = Notes::default();
    let validated = validate_service(&service, &ctx.defaults);
    let plan = plan::plan(validated, claims, unready);
    let has_lost_pods = !findings.lost_pods.is_empty();
    let outcome = apply::apply(&ctx, &service, plan, has_lost_pods, &mut notes).await?;
    let verdict = notes.told(conditions::verdict(&service, &outcome, &findings));
    events::publish_change(&ctx, &service, &verdict).await;
    let deployment = outcome.deployment().or(deployment.as_ref());
    let status = status(&service, deployment, &verdict, (ctx.now)());
    apply_status(&ctx, &service, &status).await?;
    Ok(Action::requeue(look_again(&verdict, &findings)))
}

fn look_again(verdict: &Verdict, findings: &Findings) -> Duration {
    match verdict.state {
        // Nobody tells when a pod goes that nobody counts.
        _ if findings.has_lost() => requeue::SOON,
        State::Ready => requeue::ONCE_IN_A_WHILE,
        State::Reconciling | State::Stalled => requeue::LATER,
    }
}

fn status(
    service: &DomainService,
    deployment: Option<&Deployment>,
    verdict: &Verdict,
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
    }
}

#[cfg(test)]
mod tests {
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
    use serde_json::json;

    use super::*;
    use crate::verdict::Reason;

    fn service() -> DomainService {
        let mut service = crate::fixtures::service("gateway", &json!({}));
        service.status =
            serde_json::from_value(json!({ "replicas": 2, "readyReplicas": 2 })).unwrap();
        service
    }

    #[test]
    fn pods_that_nobody_looked_at_are_not_counted() {
        let verdict = Verdict::reconciling(Reason::WaitingForCallee, "waits for pay");
        let status = status(&service(), None, &verdict, Timestamp::UNIX_EPOCH);
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
        let now = Timestamp::UNIX_EPOCH;
        let status = status(&service(), Some(&deployment), &verdict, now);
        assert_eq!((status.replicas, status.ready_replicas), (Some(3), Some(2)));
    }

    #[test]
    fn a_lost_pod_is_looked_at_soon() {
        let ready = Verdict::ready(Reason::Ready, "ready");
        let found = Findings {
            lost_pods: vec![ObjectMeta::default()],
            ..Findings::default()
        };
        let idle = Findings::default();
        assert_eq!(look_again(&ready, &idle), requeue::ONCE_IN_A_WHILE);
        assert_eq!(look_again(&ready, &found), requeue::SOON);
    }
}

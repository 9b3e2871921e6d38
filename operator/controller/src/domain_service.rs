//! A DomainService becomes a Deployment, a Service and what belongs to them.
//!
//! Its steps: [`fetch`] what there is, [`plan`] what to do about it, [`apply`] that, say how it stands ([`conditions`]).

mod apply;
pub(crate) mod conditions;
mod fetch;
mod plan;

use std::sync::Arc;

use innkeeper_crds::{DomainService, DomainServiceStatus};
use innkeeper_plan::render;
use jiff::Timestamp;
use kube::runtime::controller::Action;

use crate::context::Context;
use crate::error::Error;
use crate::ownership::Notes;
use crate::status::{apply_status, fetch_present};
use crate::verdict::{self, State, Verdict};
use crate::{controllers, events};

/// Brings a service a step nearer to how it should be.
pub(crate) async fn reconcile(
    service: Arc<DomainService>,
    ctx: Arc<Context>,
) -> Result<Action, Error> {
    let Some(service) = fetch_present(&ctx, service.as_ref()).await? else {
        return Ok(Action::await_change());
    };
    if service.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let observed = fetch::fetch(&ctx, &service).await?;
    let plan = plan::plan(observed);
    let mut notes = Notes::default();
    let outcome = apply::apply(&ctx, &service, plan, &mut notes).await?;
    let verdict = notes.told(conditions::verdict(&service, &outcome));
    events::publish_change(&ctx, &service, &verdict).await;
    let status = status(&service, &outcome, &verdict, (ctx.now)());
    apply_status(&ctx, &service, &status).await?;
    Ok(Action::requeue(match verdict.state {
        State::Ready => controllers::ONCE_IN_A_WHILE,
        State::Reconciling | State::Stalled => controllers::LATER,
    }))
}

fn status(
    service: &DomainService,
    outcome: &apply::Outcome,
    verdict: &Verdict,
    now: Timestamp,
) -> DomainServiceStatus {
    let before = service.status.clone().unwrap_or_default();
    let deployment = match outcome {
        apply::Outcome::Applied(deployment) => Some(deployment.as_ref()),
        _ => None,
    };
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
        component: Some(render::component(&service.spec).to_owned()),
        replicas: wanted.map(count),
        ready_replicas: ready.map(count),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn pods_that_nobody_looked_at_are_not_counted() {
        let service: DomainService = serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": { "name": "gateway" },
            "spec": { "platform": "rentcar", "image": "innkeeper:1", "gateway": {} },
            "status": { "replicas": 2, "readyReplicas": 2 },
        }))
        .unwrap();
        let outcome = apply::Outcome::Waiting(Vec::new());
        let verdict = conditions::verdict(&service, &outcome);
        let status = status(&service, &outcome, &verdict, Timestamp::UNIX_EPOCH);
        assert_eq!((status.replicas, status.ready_replicas), (None, None));
    }
}

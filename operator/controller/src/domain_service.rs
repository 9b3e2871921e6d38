//! Turns a DomainService into a Deployment, a Service and the objects that belong to them.
//!
//! The steps are: [`fetch`] what exists, [`plan`] what to do about it, [`apply`] the plan, and
//! report the result ([`conditions`], [`status`]).

mod apply;
mod encryption;
mod fetch;
mod lost_pods;
#[cfg(test)]
mod scenarios;

use std::sync::Arc;
use std::time::Duration;

use innkeeper_crds::DomainService;
use innkeeper_plan::domain_service::findings::Findings;
use innkeeper_plan::domain_service::{conditions, plan, status};
use innkeeper_plan::ownership::Notes;
use innkeeper_plan::validate_service;
use innkeeper_plan::verdict::{State, Verdict};
use kube::runtime::controller::Action;

use crate::context::Context;
use crate::error::Error;
use crate::status::apply_status;
use crate::{events, requeue};

/// Brings a service one step closer to what it describes.
pub(crate) async fn reconcile(service: DomainService, ctx: Arc<Context>) -> Result<Action, Error> {
    if service.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let fetch::FetchedService {
        objects,
        unready,
        deployment,
        mut findings,
    } = fetch::fetch(&ctx, &service).await?;
    lost_pods::adopt(&ctx, &service, &findings.lost_pods).await?;
    let mut notes = Notes::default();
    let validated = validate_service(&service, &ctx.defaults);
    let plan = plan(validated, objects, unready);
    let has_lost_pods = !findings.lost_pods.is_empty();
    let outcome = apply::apply(&ctx, &service, plan, has_lost_pods, &mut notes).await?;
    if conditions::awaits_pods(&service, &outcome) {
        findings.pods = fetch::fetch_pod_findings(&ctx, &service).await;
    }
    let verdict = notes.told(conditions::verdict(&service, &outcome, &findings));
    events::publish_change(&ctx, &service, &verdict).await;
    let deployment = outcome.deployment().or(deployment.as_ref());
    let encryption = encryption::fetch(&ctx, &service, &verdict).await;
    let status = status(&service, deployment, &verdict, encryption, (ctx.now)());
    apply_status(&ctx, &service, &status).await?;
    Ok(Action::requeue(look_again(&verdict, &findings)))
}

fn look_again(verdict: &Verdict, findings: &Findings) -> Duration {
    match verdict.state {
        // No watch reports the end of a pod without our label.
        _ if findings.has_lost() => requeue::SOON,
        // Nor are events watched, nor what pods answer.
        _ if !findings.pods.silent.is_empty() => requeue::SOON,
        _ if !findings.pods.running.is_empty() => requeue::SOON,
        State::Ready => requeue::ONCE_IN_A_WHILE,
        State::Reconciling | State::Stalled => requeue::LATER,
    }
}

#[cfg(test)]
mod tests {
    use innkeeper_plan::verdict::Reason;
    use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;

    use super::*;

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

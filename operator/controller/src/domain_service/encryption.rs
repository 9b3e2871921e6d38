//! Asks a pod whether its connections to the database are encrypted, where the server decides.

use innkeeper_contracts::pod::SETTINGS;
use innkeeper_crds::DomainService;
use innkeeper_plan::domain_service::encryption::{Encryption, is_for_the_server_to_say};
use innkeeper_plan::verdict::{State, Verdict, holds};
use k8s_openapi::api::core::v1::Pod;

use super::lost_pods;
use crate::context::Context;
use crate::pod_admin;

/// Whether a service's connections are encrypted. Pods that are not ready say nothing, and the
/// earlier ones go on as they were.
pub(super) async fn fetch(ctx: &Context, service: &DomainService, verdict: &Verdict) -> Encryption {
    let status = service.status.clone().unwrap_or_default();
    let before = Encryption {
        database: status.database_tls,
        kafka: status.kafka_tls,
    };
    if verdict.state != State::Ready {
        return before;
    }
    let settings = &service.spec.settings;
    let told = Encryption::of(settings);
    if !is_for_the_server_to_say(settings) {
        return told;
    }
    let is_current = Some(status.observed_generation) == service.metadata.generation
        && holds(&status.conditions, State::Ready);
    let database = match before.database.filter(|_| is_current) {
        Some(known) => Some(known),
        None => ask_a_pod(ctx, service).await,
    };
    Encryption { database, ..told }
}

async fn ask_a_pod(ctx: &Context, service: &DomainService) -> Option<bool> {
    let pods = ctx.api_beside::<Pod>(service);
    let found = pods.list(&lost_pods::of_account(service)).await.ok()?;
    let is_ready = |pod: &&Pod| {
        let conditions = pod.status.as_ref().and_then(|it| it.conditions.as_ref());
        let mut conditions = conditions.into_iter().flatten();
        pod.metadata.deletion_timestamp.is_none()
            && conditions.any(|it| it.type_ == "Ready" && it.status == "True")
    };
    let pod = found.items.iter().find(is_ready)?;
    let address = pod.status.as_ref()?.pod_ip.as_ref()?;
    let settings = pod_admin::fetch(address, SETTINGS).await?;
    settings["transport"]["database"]["tls"].as_bool()
}

//! Fetches what exists of a service, and the state of its callees.

use std::collections::BTreeSet;
use std::fmt::Debug;

use innkeeper_contracts::pod::READYZ;
use innkeeper_crds::DomainService;
use innkeeper_plan::domain_service::callees::{Unready, unready};
use innkeeper_plan::domain_service::desired::desired;
use innkeeper_plan::domain_service::findings::Findings;
use innkeeper_plan::domain_service::lost;
use innkeeper_plan::domain_service::others::foreign_autoscalers;
use innkeeper_plan::domain_service::pods::{PodFindings, SilentPod};
use innkeeper_plan::ownership::{DesiredObject, Ownership, ownership_of};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Event, Pod, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::api::ListParams;
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::lost_pods;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::fetch_desired;
use crate::pod_admin;
use crate::status::{HasConditions, fetch_status};

/// How many pods of a service are asked, or their events, why they are not ready.
const ASKED_ABOUT: usize = 3;

/// What exists of a service.
pub(super) struct FetchedService {
    /// The desired objects, with those that exist already.
    pub objects: Vec<DesiredObject>,
    /// The callees that are not ready.
    pub unready: Vec<Unready>,
    /// The Deployment of the service, if it has one.
    pub deployment: Option<Deployment>,
    /// What was found beside the service.
    pub findings: Findings,
}

/// Fetches what exists of a service.
pub(super) async fn fetch(ctx: &Context, service: &DomainService) -> Result<FetchedService, Error> {
    let (deployment, autoscalers, budgets) = tokio::try_join!(
        fetch_deployment(ctx, service),
        fetch_all::<HorizontalPodAutoscaler>(ctx, service),
        fetch_all::<PodDisruptionBudget>(ctx, service),
    )?;
    let autoscalers = foreign_autoscalers(service, &autoscalers);
    let desired = desired(service, deployment.as_ref(), !autoscalers.is_empty());
    let owner = service.controller_owner_ref(&()).unwrap_or_default();
    let objects = fetch_desired(&ctx.client, &owner, desired).await?;
    let pods = fetch_pods(ctx, service, &objects).await?;
    let lost_sets = fetch_lost_sets(ctx, service, &pods).await?;
    let is_ours =
        |it: &Deployment| matches!(ownership_of(Some(&it.metadata), &owner), Ownership::Ours(_));
    Ok(FetchedService {
        objects,
        unready: fetch_unready(ctx, service).await?,
        deployment: deployment.filter(is_ours),
        findings: Findings {
            lost_sets,
            ..Findings::of(service, autoscalers, &budgets, pods)
        },
    })
}

/// Fetches every object of a kind in a service's namespace, whoever created it.
async fn fetch_all<K>(ctx: &Context, service: &DomainService) -> Result<Vec<K>, Error>
where
    K: Resource<DynamicType = (), Scope = NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned,
{
    let api = ctx.api_beside::<K>(service);
    let found = api.list(&ListParams::default()).await;
    let found = found.map_err(|source| Error::Fetch {
        what: format!("every {} beside {}", K::kind(&()), service.name_any()),
        source,
    })?;
    Ok(found.items)
}

/// Fetches the pods that run under a service's ServiceAccount. If the account belongs to the
/// service, so do the pods.
async fn fetch_pods(
    ctx: &Context,
    service: &DomainService,
    objects: &[DesiredObject],
) -> Result<Vec<ObjectMeta>, Error> {
    let is_account =
        |desired: &&DesiredObject| desired.rendered.resource.kind == ServiceAccount::kind(&());
    let account = objects.iter().find(is_account).map(|it| &it.ownership);
    if !matches!(account, Some(Ownership::Ours(_))) {
        return Ok(Vec::new());
    }
    let pods = ctx.api_beside::<Pod>(service);
    let found = pods.list_metadata(&lost_pods::of_account(service)).await;
    let found = found.map_err(|source| Error::Fetch {
        what: format!("the pods of {}", service.name_any()),
        source,
    })?;
    Ok(found.items.into_iter().map(|pod| pod.metadata).collect())
}

/// Fetches why pods of a service are not ready. Without an answer the status says less, and is
/// written all the same.
pub(super) async fn fetch_pod_findings(ctx: &Context, service: &DomainService) -> PodFindings {
    match fetch_what_pods_say(ctx, service).await {
        Ok(findings) => findings,
        Err(error) => {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            tracing::warn!(service = service.name_any(), %error, cause, "does not know why pods are not ready");
            PodFindings::default()
        }
    }
}

async fn fetch_what_pods_say(ctx: &Context, service: &DomainService) -> Result<PodFindings, Error> {
    let pods = ctx.api_beside::<Pod>(service);
    let found = pods.list(&lost_pods::of_account(service)).await;
    let found = found.map_err(|source| Error::Fetch {
        what: format!("the pods of {}", service.name_any()),
        source,
    })?;
    let mut findings = PodFindings::of(&found.items, (ctx.now)());
    // Pods of one service mostly wait for the same thing.
    for pod in findings.silent.clone().iter().take(ASKED_ABOUT) {
        findings.add_events(pod, &fetch_events(ctx, service, pod).await?);
    }
    findings.running.truncate(ASKED_ABOUT);
    let running = std::mem::take(&mut findings.running);
    let asked = running.iter().map(|it| pod_admin::fetch(it, READYZ));
    let answers = futures::future::join_all(asked).await;
    for (address, answer) in running.iter().zip(answers) {
        if let Some(answer) = answer {
            findings.add_readiness(&answer);
            findings.running.push(address.clone());
        }
    }
    Ok(findings)
}

/// Fetches the events about a pod.
async fn fetch_events(
    ctx: &Context,
    service: &DomainService,
    pod: &SilentPod,
) -> Result<Vec<Event>, Error> {
    let about = format!("involvedObject.uid={}", pod.uid);
    let events = ctx.api_beside::<Event>(service);
    let found = events.list(&ListParams::default().fields(&about)).await;
    let found = found.map_err(|source| Error::Fetch {
        what: format!("the events about pod {}", pod.name),
        source,
    })?;
    Ok(found.items)
}

/// Fetches the names of `ReplicaSet`s with pods of the service that no Deployment owns.
async fn fetch_lost_sets(
    ctx: &Context,
    service: &DomainService,
    pods: &[ObjectMeta],
) -> Result<Vec<String>, Error> {
    let api = ctx.api_beside::<ReplicaSet>(service);
    let names: BTreeSet<&str> = pods.iter().filter_map(lost::replica_set).collect();
    let mut lost = Vec::new();
    for name in names {
        let found = api.get_metadata_opt(name).await;
        let found = found.map_err(|source| Error::Fetch {
            what: format!("ReplicaSet {name}"),
            source,
        })?;
        if found.is_some_and(|set| lost::is_lost(&set.metadata)) {
            lost.push(name.to_owned());
        }
    }
    Ok(lost)
}

async fn fetch_deployment(
    ctx: &Context,
    service: &DomainService,
) -> Result<Option<Deployment>, Error> {
    let name = service.name_any();
    ctx.api_beside::<Deployment>(service)
        .get_opt(&name)
        .await
        .map_err(|source| Error::Fetch {
            what: format!("Deployment {name}"),
            source,
        })
}

async fn fetch_unready(ctx: &Context, service: &DomainService) -> Result<Vec<Unready>, Error> {
    let mut all = Vec::new();
    for name in &service.spec.waits_for {
        let callee = fetch_status::<DomainService>(ctx, service, name).await?;
        all.extend(unready(
            name,
            callee.as_ref().map(HasConditions::conditions),
        ));
    }
    Ok(all)
}

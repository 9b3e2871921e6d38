//! What there is of a service, and how its callees stand.

use std::collections::BTreeSet;
use std::fmt::Debug;

use innkeeper_crds::{Condition, DomainService};
use innkeeper_plan::Rendered;
use innkeeper_plan::names::FIELD_MANAGER;
use innkeeper_plan::render::{self, ObservedReplicas};
use k8s_openapi::NamespaceResourceScope;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{Pod, ServiceAccount};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::{ManagedFieldsEntry, ObjectMeta};
use kube::api::ListParams;
use kube::{Resource, ResourceExt as _};
use serde::de::DeserializeOwned;

use super::findings::Findings;
use super::lost_pods;
use super::others::foreign_autoscalers;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{Claim, Standing, fetch_claims, standing};
use crate::status::{Observed, fetch_status};
use crate::verdict::{State, holds, ready_condition};

/// What there is of a service.
pub(super) struct Found {
    /// Every object as it should be, and whose its name is.
    pub claims: Vec<Claim>,
    /// The callees that are not ready.
    pub unready: Vec<Unready>,
    /// Its Deployment, if it has one.
    pub deployment: Option<Deployment>,
    /// What was found beside it.
    pub findings: Findings,
}

/// A callee that is not ready.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unready {
    /// Its name.
    pub service: String,
    /// Why someone has to do something about it; `None` while it goes on by itself. Each state on its way would be another
    /// status to write.
    pub why: Option<String>,
}

/// Looks what there is of a service.
pub(super) async fn fetch(ctx: &Context, service: &DomainService) -> Result<Found, Error> {
    let (deployment, autoscalers, budgets) = tokio::try_join!(
        fetch_deployment(ctx, service),
        fetch_all::<HorizontalPodAutoscaler>(ctx, service),
        fetch_all::<PodDisruptionBudget>(ctx, service),
    )?;
    let autoscalers = foreign_autoscalers(service, &autoscalers);
    let rendered = rendered(service, deployment.as_ref(), !autoscalers.is_empty());
    let owner = service.controller_owner_ref(&()).unwrap_or_default();
    let claims = fetch_claims(&ctx.client, &owner, rendered).await?;
    let pods = fetch_pods(ctx, service, &claims).await?;
    let lost_sets = fetch_lost_sets(ctx, service, &pods).await?;
    let is_ours =
        |it: &Deployment| matches!(standing(Some(&it.metadata), &owner), Standing::Ours(_));
    Ok(Found {
        claims,
        unready: fetch_unready(ctx, service).await?,
        deployment: deployment.filter(is_ours),
        findings: Findings {
            lost_sets,
            ..Findings::of(service, autoscalers, &budgets, pods)
        },
    })
}

/// Every object of a kind in a service's namespace, whoever made it.
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

/// The pods under a service's account, which nobody else uses if it is the service's own.
async fn fetch_pods(
    ctx: &Context,
    service: &DomainService,
    claims: &[Claim],
) -> Result<Vec<ObjectMeta>, Error> {
    let is_account = |claim: &&Claim| claim.rendered.resource.kind == ServiceAccount::kind(&());
    let account = claims.iter().find(is_account).map(|it| &it.standing);
    if !matches!(account, Some(Standing::Ours(_))) {
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

/// The `ReplicaSet`s of a service's pods that no Deployment looks after.
async fn fetch_lost_sets(
    ctx: &Context,
    service: &DomainService,
    pods: &[ObjectMeta],
) -> Result<Vec<String>, Error> {
    let api = ctx.api_beside::<ReplicaSet>(service);
    let names: BTreeSet<&str> = pods.iter().filter_map(lost_pods::replica_set).collect();
    let mut lost = Vec::new();
    for name in names {
        let found = api.get_metadata_opt(name).await;
        let found = found.map_err(|source| Error::Fetch {
            what: format!("ReplicaSet {name}"),
            source,
        })?;
        if found.is_some_and(|set| lost_pods::is_lost(&set.metadata)) {
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
    let mut unready = Vec::new();
    for name in &service.spec.waits_for {
        let callee = fetch_status::<DomainService>(ctx, service, name).await?;
        unready.extend(unready_callee(
            name,
            callee.as_ref().map(Observed::conditions),
        ));
    }
    Ok(unready)
}

/// Why a callee is waited for, by its conditions; `None` where there is no such service.
fn unready_callee(name: &str, conditions: Option<&[Condition]>) -> Option<Unready> {
    let is_there = conditions.is_some();
    let conditions = conditions.unwrap_or_default();
    if holds(conditions, State::Ready) {
        return None;
    }
    let is_stalled = holds(conditions, State::Stalled);
    let reason = ready_condition(conditions).filter(|_| is_stalled);
    Some(Unready {
        service: name.to_owned(),
        why: if is_there {
            reason.map(|it| it.reason.clone())
        } else {
            Some("there is none yet".to_owned())
        },
    })
}

/// Every object of the service as it should be.
fn rendered(
    service: &DomainService,
    deployment: Option<&Deployment>,
    autoscaled_by_another: bool,
) -> Vec<Rendered> {
    let workload = &service.spec.workload;
    let observed = deployment.and_then(|it| observed_replicas(it, autoscaled_by_another));
    let replicas = render::replicas(workload, observed);
    let mut objects = render::objects(service, replicas);
    // Who asks for a number that was observed must not overwrite a newer one: the version makes that a conflict.
    let is_autoscaled = workload.autoscaling.is_some() || autoscaled_by_another;
    if is_autoscaled && replicas.is_some() {
        let version = deployment.and_then(|it| it.metadata.resource_version.clone());
        for rendered in &mut objects {
            if rendered.resource.kind == Deployment::kind(&()) {
                let metadata = &mut rendered.object.metadata;
                metadata.resource_version.clone_from(&version);
            }
        }
    }
    objects
}

fn observed_replicas(
    deployment: &Deployment,
    autoscaled_by_another: bool,
) -> Option<ObservedReplicas> {
    let managers = deployment.metadata.managed_fields.iter().flatten();
    let owners = managers.filter(|entry| owns_replicas(entry));
    let (ours, others): (Vec<_>, Vec<_>) =
        owners.partition(|entry| entry.manager.as_deref() == Some(FIELD_MANAGER));
    Some(ObservedReplicas {
        count: deployment.spec.as_ref()?.replicas?,
        // Nobody owns a 0 that `kubectl scale` set: a Scale leaves it out.
        owned_by_another: !others.is_empty() || ours.is_empty(),
        autoscaled_by_another,
    })
}

fn owns_replicas(entry: &ManagedFieldsEntry) -> bool {
    entry
        .fields_v1
        .as_ref()
        .is_some_and(|fields| fields.0.pointer("/f:spec/f:replicas").is_some())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::service;

    fn deployment(managers: &serde_json::Value) -> Deployment {
        serde_json::from_value(json!({
            "metadata": { "name": "pay", "resourceVersion": "7", "managedFields": managers },
            "spec": {
                "replicas": 4,
                "selector": {},
                "template": {},
            },
        }))
        .unwrap()
    }

    fn owner_of_replicas(manager: &str) -> serde_json::Value {
        json!({ "manager": manager, "fieldsV1": { "f:spec": { "f:replicas": {} } } })
    }

    fn autoscaled() -> DomainService {
        service(
            "pay",
            &json!({ "autoscaling": { "minReplicas": 1, "maxReplicas": 10 } }),
        )
    }

    fn rendered_deployment(seen: Option<&Deployment>) -> serde_json::Value {
        deployment_of(&rendered(&autoscaled(), seen, false))
    }

    fn deployment_of(objects: &[Rendered]) -> serde_json::Value {
        let deployment = objects
            .iter()
            .find(|rendered| rendered.resource.kind == "Deployment")
            .unwrap();
        serde_json::to_value(&deployment.object).unwrap()
    }

    #[test]
    fn a_number_that_was_seen_is_asked_for_only_while_nothing_has_changed() {
        let mine = deployment(&json!([owner_of_replicas(FIELD_MANAGER)]));
        let asked = rendered_deployment(Some(&mine));
        assert_eq!(asked["spec"]["replicas"], 4);
        assert_eq!(asked["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn a_number_that_another_owns_is_left_to_it() {
        let theirs = deployment(&json!([
            { "manager": FIELD_MANAGER, "fieldsV1": { "f:spec": { "f:paused": {} } } },
            owner_of_replicas("kube-controller-manager"),
        ]));
        let asked = rendered_deployment(Some(&theirs));
        assert_eq!(asked["spec"].get("replicas"), None);
        assert_eq!(asked["metadata"].get("resourceVersion"), None);
    }

    #[test]
    fn no_pods_that_nobody_owns_up_to_were_asked_for_by_another() {
        let ours =
            json!({ "manager": FIELD_MANAGER, "fieldsV1": { "f:spec": { "f:paused": {} } } });
        let mut scaled = deployment(&json!([ours]));
        scaled.spec.as_mut().unwrap().replicas = Some(0);
        let asked = rendered_deployment(Some(&scaled));
        assert_eq!(asked["spec"].get("replicas"), None);
    }

    #[test]
    fn a_fixed_number_is_left_to_the_autoscaler_of_somebody_else_alone() {
        let fixed = service("pay", &json!({ "replicas": 2 }));
        let seen = deployment(&json!([
            { "manager": FIELD_MANAGER, "fieldsV1": { "f:spec": { "f:paused": {} } } },
            owner_of_replicas("kube-controller-manager"),
        ]));
        let alone = deployment_of(&rendered(&fixed, Some(&seen), false));
        assert_eq!(alone["spec"]["replicas"], 2);
        assert_eq!(alone["metadata"].get("resourceVersion"), None);
        let beside = deployment_of(&rendered(&fixed, Some(&seen), true));
        assert_eq!(beside["spec"].get("replicas"), None);
    }

    #[test]
    fn a_number_that_is_still_ours_beside_an_autoscaler_of_somebody_else_is_guarded() {
        let fixed = service("pay", &json!({ "replicas": 2 }));
        let mine = deployment(&json!([owner_of_replicas(FIELD_MANAGER)]));
        let beside = deployment_of(&rendered(&fixed, Some(&mine), true));
        assert_eq!(beside["spec"]["replicas"], 4);
        assert_eq!(beside["metadata"]["resourceVersion"], "7");
    }

    #[test]
    fn a_callee_is_waited_for_until_it_is_ready_or_off_and_named_with_what_stalls_it() {
        let callee = |conditions: serde_json::Value| -> Vec<Condition> {
            serde_json::from_value(conditions).unwrap()
        };
        let condition = |kind: &str, reason: &str| {
            json!([{
                "type": kind,
                "status": "True",
                "reason": reason,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }])
        };
        let off = callee(condition("Ready", "Off"));
        assert_eq!(unready_callee("pay", Some(&off)), None);
        let why = |callee| unready_callee("pay", callee).unwrap().why;
        let starting = callee(condition("Reconciling", "Progressing"));
        assert_eq!(why(Some(&starting)), None);
        let mut stalled = condition("Stalled", "Refused");
        let ready = json!({
            "type": "Ready",
            "status": "False",
            "reason": "Refused",
            "lastTransitionTime": "2026-01-01T00:00:00Z",
        });
        stalled.as_array_mut().unwrap().push(ready);
        let stalled = callee(stalled);
        assert_eq!(why(Some(&stalled)).as_deref(), Some("Refused"));
        assert_eq!(why(None).as_deref(), Some("there is none yet"));
    }
}

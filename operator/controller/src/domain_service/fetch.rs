//! What there is of a service, and how its callees stand.

use innkeeper_crds::domain_service::Callee;
use innkeeper_crds::{DomainService, DomainServiceStatus};
use innkeeper_plan::names::FIELD_MANAGER;
use innkeeper_plan::render::{self, ObservedReplicas, Rendered};
use k8s_openapi::api::apps::v1::Deployment;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ManagedFieldsEntry;
use kube::{Resource as _, ResourceExt as _};

use crate::context::Context;
use crate::error::Error;
use crate::ownership::{Claim, fetch_claims};
use crate::verdict::{READY, State, holds};

/// What there is of a service.
pub(super) struct Observed {
    /// Every object as it should be, and whose its name is.
    pub claims: Vec<Claim>,
    /// The callees that are not ready.
    pub unready: Vec<Unready>,
}

/// A callee that is not ready.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Unready {
    /// Its name.
    pub service: String,
    /// Why, in one word; `None` when there is no such service yet.
    pub reason: Option<String>,
}

/// Looks what there is of a service.
pub(super) async fn fetch(ctx: &Context, service: &DomainService) -> Result<Observed, Error> {
    let deployment = fetch_deployment(ctx, service).await?;
    let rendered = rendered(service, deployment.as_ref());
    let owner = service.controller_owner_ref(&()).unwrap_or_default();
    Ok(Observed {
        claims: fetch_claims(&ctx.client, &owner, rendered).await?,
        unready: fetch_unready(ctx, service).await?,
    })
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
    let api = ctx.api_beside::<DomainService>(service);
    let mut unready = Vec::new();
    for Callee { service: name, .. } in &service.spec.callees {
        let callee = api.get_opt(name).await.map_err(|source| Error::Fetch {
            what: format!("DomainService {name}"),
            source,
        })?;
        unready.extend(unready_callee(name, callee.as_ref()));
    }
    Ok(unready)
}

fn unready_callee(name: &str, callee: Option<&DomainService>) -> Option<Unready> {
    let status = callee.and_then(|callee| callee.status.as_ref());
    let ready = |status: &DomainServiceStatus| holds(&status.conditions, State::Ready);
    (!status.is_some_and(ready)).then(|| Unready {
        service: name.to_owned(),
        reason: status
            .and_then(|status| status.conditions.iter().find(|it| it.kind == READY))
            .map(|condition| condition.reason.clone()),
    })
}

/// Every object of the service as it should be.
fn rendered(service: &DomainService, deployment: Option<&Deployment>) -> Vec<Rendered> {
    let workload = &service.spec.workload;
    let replicas = render::replicas(workload, deployment.and_then(observed_replicas));
    let mut objects = render::objects(service, replicas);
    // Who asks for a number that was observed must not overwrite a newer one: the version makes that a conflict.
    if workload.autoscaling.is_some() && replicas.is_some() {
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

fn observed_replicas(deployment: &Deployment) -> Option<ObservedReplicas> {
    let managers = deployment.metadata.managed_fields.iter().flatten();
    Some(ObservedReplicas {
        count: deployment.spec.as_ref()?.replicas?,
        owned_by_another: managers
            .filter(|entry| entry.manager.as_deref() != Some(FIELD_MANAGER))
            .any(owns_replicas),
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
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": { "name": "pay", "namespace": "default" },
            "spec": {
                "platform": "rentcar",
                "image": "innkeeper:1",
                "gateway": {},
                "autoscaling": { "minReplicas": 1, "maxReplicas": 10 },
            },
        }))
        .unwrap()
    }

    fn rendered_deployment(seen: Option<&Deployment>) -> serde_json::Value {
        let objects = rendered(&autoscaled(), seen);
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
    fn a_callee_that_is_off_is_not_waited_for() {
        let callee = |conditions: serde_json::Value| -> DomainService {
            let mut service = autoscaled();
            service.status = serde_json::from_value(json!({ "conditions": conditions })).unwrap();
            service
        };
        let condition = |status: &str, reason: &str| {
            json!([{
                "type": "Ready",
                "status": status,
                "reason": reason,
                "lastTransitionTime": "2026-01-01T00:00:00Z",
            }])
        };
        let off = callee(condition("True", "Off"));
        assert_eq!(unready_callee("pay", Some(&off)), None);
        let starting = callee(condition("False", "Progressing"));
        let unready = unready_callee("pay", Some(&starting)).unwrap();
        assert_eq!(unready.reason.as_deref(), Some("Progressing"));
        assert_eq!(unready_callee("pay", None).unwrap().reason, None);
    }
}

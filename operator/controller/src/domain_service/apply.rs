//! Carries a service's plan out, and removes what nobody asks for any more.

use innkeeper_crds::DomainService;
use innkeeper_plan::names;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::autoscaling::v2::HorizontalPodAutoscaler;
use k8s_openapi::api::core::v1::{ConfigMap, PodSpec};
use k8s_openapi::api::policy::v1::PodDisruptionBudget;
use kube::api::ListParams;
use kube::core::Selector;
use kube::{Resource, ResourceExt as _};

use super::fetch::Unready;
use super::plan::Plan;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{
    Claim, Notes, Obstacle, Refused, apply as apply_claim, names_of, prune, typed,
};

/// How a service came out of a reconciliation.
#[derive(Debug)]
pub(super) enum Outcome {
    /// Something is in the way; nothing was written.
    Stopped(Obstacle),
    /// It waits for callees; nothing was written.
    Waiting(Vec<Unready>),
    /// The API server refuses one of its objects.
    Refused(Refused),
    /// All is applied, and this is its Deployment.
    Applied(Box<Deployment>),
}

impl Outcome {
    /// The service's Deployment, if it was applied.
    pub(super) fn deployment(&self) -> Option<&Deployment> {
        match self {
            Self::Applied(deployment) => Some(deployment),
            Self::Stopped(_) | Self::Waiting(_) | Self::Refused(_) => None,
        }
    }
}

/// Carries a service's plan out.
pub(super) async fn apply(
    ctx: &Context,
    service: &DomainService,
    plan: Plan,
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    match plan {
        Plan::Stop(obstacle) => Ok(Outcome::Stopped(obstacle)),
        Plan::Wait(callees) => Ok(Outcome::Waiting(callees)),
        Plan::Apply(claims) => apply_all(ctx, service, &claims, notes).await,
    }
}

async fn apply_all(
    ctx: &Context,
    service: &DomainService,
    claims: &[Claim],
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    // First, lest it go on scaling what has a fixed number from now on.
    prune_unasked::<HorizontalPodAutoscaler>(ctx, service, claims).await?;
    prune_unasked::<PodDisruptionBudget>(ctx, service, claims).await?;
    let mut deployment = Deployment::default();
    for claim in claims {
        let applied = match apply_claim(ctx, service, claim, notes).await? {
            Ok(applied) => applied,
            Err(refused) => return Ok(Outcome::Refused(refused)),
        };
        if claim.rendered.resource.kind == Deployment::kind(&()) {
            deployment = typed(claim, &applied)?;
        }
    }
    prune_config_maps(ctx, service, claims).await?;
    Ok(Outcome::Applied(Box::new(deployment)))
}

/// Deletes the service's objects of a kind that it does not ask for any more.
async fn prune_unasked<K: Resource<DynamicType = ()>>(
    ctx: &Context,
    service: &DomainService,
    claims: &[Claim],
) -> Result<(), Error> {
    prune::<K>(&ctx.client, service, &names_of::<K>(claims)).await
}

/// Deletes the ConfigMaps of former contents, except those that a ReplicaSet names: its pods may start again.
async fn prune_config_maps(
    ctx: &Context,
    service: &DomainService,
    claims: &[Claim],
) -> Result<(), Error> {
    let mut wanted = names_of::<ConfigMap>(claims);
    let sets = ctx
        .api_beside::<ReplicaSet>(service)
        .list(&of_service(service))
        .await
        .map_err(|source| Error::Fetch {
            what: format!("the ReplicaSets of {}", service.name_any()),
            source,
        })?;
    wanted.extend(sets.iter().filter_map(pod_spec).flat_map(named_config_maps));
    prune::<ConfigMap>(&ctx.client, service, &wanted).await
}

fn of_service(service: &DomainService) -> ListParams {
    let labels = names::selector(&service.spec.platform, &service.name_any());
    ListParams::default().labels_from(&Selector::from_iter(labels))
}

fn pod_spec(set: &ReplicaSet) -> Option<&PodSpec> {
    set.spec.as_ref()?.template.as_ref()?.spec.as_ref()
}

/// The ConfigMaps that a pod mounts or takes its environment from.
fn named_config_maps(pod: &PodSpec) -> impl Iterator<Item = String> {
    let mounted = pod
        .volumes
        .iter()
        .flatten()
        .filter_map(|volume| Some(volume.config_map.as_ref()?.name.clone()));
    let environment = pod
        .containers
        .iter()
        .flat_map(|container| container.env_from.iter().flatten())
        .filter_map(|from| Some(from.config_map_ref.as_ref()?.name.clone()));
    mounted.chain(environment)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_pod_names_what_it_mounts_and_what_its_environment_comes_from() {
        let pod: PodSpec = serde_json::from_value(json!({
            "volumes": [
                { "name": "settings", "configMap": { "name": "pay-settings-1" } },
                { "name": "database", "secret": { "secretName": "database" } },
            ],
            "containers": [{
                "name": "service",
                "envFrom": [{ "configMapRef": { "name": "pay-config-1" } }],
            }],
        }))
        .unwrap();
        let named: Vec<_> = named_config_maps(&pod).collect();
        assert_eq!(named, ["pay-settings-1", "pay-config-1"]);
    }
}

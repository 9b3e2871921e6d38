//! Carries a service's plan out, and removes what nobody asks for any more.

use innkeeper_crds::DomainService;
use innkeeper_plan::Refusals;
use innkeeper_plan::kinds::Prune;
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, PodSpec};
use kube::api::ListParams;
use kube::{Resource, ResourceExt as _};

use super::fetch::Unready;
use super::lost_pods;
use super::plan::Plan;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{
    Claim, Inventory, Notes, Obstacle, Refused, apply as apply_claim, prune, typed,
};

/// How a service came out of a reconciliation.
#[derive(Debug)]
pub(super) enum Outcome {
    /// It makes no sense; nothing was written.
    Invalid(Refusals),
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
            Self::Invalid(_) | Self::Stopped(_) | Self::Waiting(_) | Self::Refused(_) => None,
        }
    }
}

/// Carries a service's plan out.
pub(super) async fn apply(
    ctx: &Context,
    service: &DomainService,
    plan: Plan,
    has_lost_pods: bool,
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    let claims = match plan {
        Plan::Refuse(refusals) => return Ok(Outcome::Invalid(refusals)),
        Plan::Stop(obstacle) => return Ok(Outcome::Stopped(obstacle)),
        Plan::Wait(callees) => return Ok(Outcome::Waiting(callees)),
        Plan::Apply(claims) => claims,
    };
    let mut inventory = Inventory::of(&claims);
    prune(&ctx.client, service, &inventory, Prune::First).await?;
    let outcome = apply_all(ctx, service, &claims, notes).await?;
    if matches!(outcome, Outcome::Applied(_)) {
        inventory.keep::<ConfigMap>(used_config_maps(ctx, service, has_lost_pods).await?);
        prune(&ctx.client, service, &inventory, Prune::Last).await?;
    }
    Ok(outcome)
}

async fn apply_all(
    ctx: &Context,
    service: &DomainService,
    claims: &[Claim],
    notes: &mut Notes,
) -> Result<Outcome, Error> {
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
    Ok(Outcome::Applied(Box::new(deployment)))
}

/// The ConfigMaps that a pod without a controller names, or a ReplicaSet, whatever its labels are:
/// its pods may start again.
async fn used_config_maps(
    ctx: &Context,
    service: &DomainService,
    has_lost_pods: bool,
) -> Result<Vec<String>, Error> {
    let failed = |source| Error::Fetch {
        what: format!(
            "the ReplicaSets and lost pods beside {}",
            service.name_any()
        ),
        source,
    };
    let sets = ctx.api_beside::<ReplicaSet>(service);
    let sets = sets.list(&ListParams::default()).await.map_err(failed)?;
    let pods = if has_lost_pods {
        let pods = ctx.api_beside::<Pod>(service);
        let found = pods.list(&lost_pods::of_account(service)).await;
        found.map_err(failed)?.items
    } else {
        Vec::new()
    };
    let specs = sets.items.into_iter().filter_map(pod_spec);
    let specs = specs.chain(pods.into_iter().filter_map(|pod| pod.spec));
    Ok(specs.flat_map(|spec| named_config_maps(&spec)).collect())
}

fn pod_spec(set: ReplicaSet) -> Option<PodSpec> {
    set.spec?.template?.spec
}

/// The ConfigMaps that a pod mounts or takes its environment from.
fn named_config_maps(pod: &PodSpec) -> Vec<String> {
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
    mounted.chain(environment).collect()
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
        assert_eq!(named_config_maps(&pod), ["pay-settings-1", "pay-config-1"]);
    }
}

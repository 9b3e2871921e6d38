//! Carries out a service's plan, and deletes the objects that it no longer asks for.

use innkeeper_crds::DomainService;
use innkeeper_plan::domain_service::config_maps::named_config_maps;
use innkeeper_plan::domain_service::{ServiceOutcome, ServicePlan};
use innkeeper_plan::kinds::Prune;
use innkeeper_plan::ownership::{DesiredObject, Inventory, Notes};
use k8s_openapi::api::apps::v1::{Deployment, ReplicaSet};
use k8s_openapi::api::core::v1::{ConfigMap, Pod, PodSpec};
use kube::api::ListParams;
use kube::{Resource, ResourceExt as _};

use super::lost_pods;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{apply_object, prune, typed};

/// Carries out a service's plan.
pub(super) async fn apply(
    ctx: &Context,
    service: &DomainService,
    plan: ServicePlan,
    has_lost_pods: bool,
    notes: &mut Notes,
) -> Result<ServiceOutcome, Error> {
    let objects = match plan {
        ServicePlan::Refuse(refusals) => return Ok(ServiceOutcome::Invalid(refusals)),
        ServicePlan::Stop(obstacle) => return Ok(ServiceOutcome::Stopped(obstacle)),
        ServicePlan::Wait(callees) => return Ok(ServiceOutcome::Waiting(callees)),
        ServicePlan::Apply(objects) => objects,
    };
    let mut inventory = Inventory::of(&objects);
    prune(&ctx.client, service, &inventory, Prune::First).await?;
    let outcome = apply_all(ctx, service, &objects, notes).await?;
    if matches!(outcome, ServiceOutcome::Applied(_)) {
        inventory.keep::<ConfigMap>(fetch_used_config_maps(ctx, service, has_lost_pods).await?);
        prune(&ctx.client, service, &inventory, Prune::Last).await?;
    }
    Ok(outcome)
}

async fn apply_all(
    ctx: &Context,
    service: &DomainService,
    objects: &[DesiredObject],
    notes: &mut Notes,
) -> Result<ServiceOutcome, Error> {
    let mut deployment = Deployment::default();
    for desired in objects {
        let applied = match apply_object(ctx, service, desired, notes).await? {
            Ok(applied) => applied,
            Err(refused) => return Ok(ServiceOutcome::Refused(refused)),
        };
        if desired.rendered.resource.kind == Deployment::kind(&()) {
            deployment = typed(desired, &applied)?;
        }
    }
    Ok(ServiceOutcome::Applied(Box::new(deployment)))
}

/// Names of the ConfigMaps that are used by a ReplicaSet or by a pod without a controller, whatever
/// their labels are. Such pods may start again.
async fn fetch_used_config_maps(
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

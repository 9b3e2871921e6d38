//! Applies the children of a platform, and deletes the services that its file no longer has.

use futures::future::try_join_all;
use innkeeper_crds::BookingPlatform;
use innkeeper_plan::kinds::Prune;
use innkeeper_plan::ownership::{DesiredObject, Inventory, Notes, Ownership, obstacle};
use innkeeper_plan::platform::{Child, Children, PlatformOutcome};
use innkeeper_plan::{Expansion, Rendered};
use kube::Resource as _;

use crate::context::Context;
use crate::error::Error;
use crate::ownership::{apply_object, fetch_desired, prune};

/// Applies the children of a platform.
pub(super) async fn apply(
    ctx: &Context,
    platform: &BookingPlatform,
    expansion: &Expansion,
    notes: &mut Notes,
) -> Result<PlatformOutcome, Error> {
    let waves = fetch_waves(ctx, platform, expansion).await?;
    if let Some(obstacle) = obstacle(waves.iter().flatten()) {
        return Ok(PlatformOutcome::Stopped(obstacle));
    }
    let inventory = Inventory::of(waves.iter().flatten());
    prune(&ctx.client, platform, &inventory, Prune::First).await?;
    let mut children = Children::default();
    for wave in &waves {
        let is_open = children.are_ready();
        for desired in wave {
            let Rendered { resource, .. } = &desired.rendered;
            if !is_open && desired.ownership == Ownership::Free {
                children.withheld.push(desired.rendered.name().to_owned());
                continue;
            }
            match apply_object(ctx, platform, desired, notes).await? {
                Ok(applied) => children.present.push(Child::of(&resource.kind, &applied)),
                Err(refused) => return Ok(PlatformOutcome::Refused(refused)),
            }
        }
    }
    prune(&ctx.client, platform, &inventory, Prune::Last).await?;
    let topic_name = expansion.topic.spec.topic_name.clone();
    Ok(PlatformOutcome::Applied(children, topic_name))
}

/// Fetches the children of a platform, in waves. Each child is deleted with its platform.
async fn fetch_waves(
    ctx: &Context,
    platform: &BookingPlatform,
    expansion: &Expansion,
) -> Result<Vec<Vec<DesiredObject>>, Error> {
    let owner = platform.controller_owner_ref(&()).unwrap_or_default();
    let fetch = |mut wave: Vec<Rendered>| {
        for rendered in &mut wave {
            rendered.object.metadata.owner_references = Some(vec![owner.clone()]);
        }
        fetch_desired(&ctx.client, &owner, wave)
    };
    try_join_all(expansion.waves().into_iter().map(fetch)).await
}

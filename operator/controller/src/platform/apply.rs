//! Applies the children of a platform, and deletes those that its file no longer has.

use innkeeper_crds::BookingPlatform;
use innkeeper_plan::ownership::{DesiredObject, Inventory, Notes, Ownership, obstacle};
use innkeeper_plan::platform::{Child, Children, PlatformOutcome};
use innkeeper_plan::{Expansion, Rendered};
use kube::Resource as _;

use super::fetch::FetchedPlatform;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{apply_object, prune_fetched};

/// Applies the children of a platform.
pub(super) async fn apply(
    ctx: &Context,
    platform: &BookingPlatform,
    fetched: &FetchedPlatform,
    expansion: &Expansion,
    notes: &mut Notes,
) -> Result<PlatformOutcome, Error> {
    let waves = waves(platform, fetched, expansion);
    if let Some(obstacle) = obstacle(waves.iter().flatten()) {
        return Ok(PlatformOutcome::Stopped(obstacle));
    }
    let inventory = Inventory::of(waves.iter().flatten());
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
    prune_fetched(&ctx.client, platform, &inventory, &fetched.objects).await?;
    let topic_name = expansion.topic.spec.topic_name.clone();
    Ok(PlatformOutcome::Applied(children, topic_name))
}

/// The children of a platform, in waves. Each child is deleted with its platform.
fn waves(
    platform: &BookingPlatform,
    fetched: &FetchedPlatform,
    expansion: &Expansion,
) -> Vec<Vec<DesiredObject>> {
    let owner = platform.controller_owner_ref(&()).unwrap_or_default();
    let desired = |mut rendered: Rendered| {
        rendered.object.metadata.owner_references = Some(vec![owner.clone()]);
        let live = fetched.live(&rendered).cloned();
        DesiredObject::of(rendered, live, &owner)
    };
    let waves = expansion.waves().into_iter();
    waves
        .map(|wave| wave.into_iter().map(desired).collect())
        .collect()
}

//! Turns a BookingPlatform into an EventTopic and DomainServices.

mod apply;
mod defaults;
mod fetch;
#[cfg(test)]
mod scenarios;

use std::sync::Arc;

use innkeeper_crds::BookingPlatform;
use innkeeper_plan::ownership::Notes;
use innkeeper_plan::platform::{PlatformOutcome, conditions, pinned, status};
use innkeeper_plan::verdict::State;
use innkeeper_plan::{Executor, Facts, expand, validate};
use kube::runtime::controller::Action;

use crate::cache::Cache;
use crate::context::Context;
use crate::error::Error;
use crate::status::apply_status;
use crate::{events, requeue};
use defaults::Defaults;
use fetch::FetchedPlatform;

/// Brings a platform one step closer to what it describes.
pub(crate) async fn reconcile(
    platform: BookingPlatform,
    ctx: Arc<Context>,
    platforms: Cache<BookingPlatform>,
) -> Result<Action, Error> {
    if platform.metadata.deletion_timestamp.is_some() {
        return Ok(Action::await_change());
    }
    let fetched = fetch::fetch(&ctx, &platform).await?;
    let facts = Facts::of(&platform, fetched.services_of(&platform));
    let defaults = Defaults::of(&ctx, &platforms, &platform, &facts);
    let platform = pin(&ctx, platform, &fetched, &defaults).await?;
    let facts = facts.pinned(&platform);
    let mut notes = Notes::default();
    let executor = Executor::Cluster(defaults.values);
    let outcome = match validate(&platform, &executor) {
        Ok(validated) => {
            let expansion = expand(&validated, &executor, &facts);
            apply::apply(&ctx, &platform, &fetched, &expansion, &mut notes).await?
        }
        Err(refusals) => PlatformOutcome::Invalid(refusals),
    };
    let verdict = conditions::verdict(&outcome);
    let verdict = notes.told(verdict.with_notes(defaults.note.into_iter().collect()));
    events::publish_change(&ctx, &platform, &verdict).await;
    let status = status(&platform, &outcome, &verdict, (ctx.now)());
    apply_status(&ctx, &platform, &status).await?;
    let before = platform.status.as_ref();
    let was_at_it = before.is_some_and(|it| it.defaults_rollout.is_some());
    if was_at_it && status.defaults_rollout.is_none() {
        ctx.rollouts.finish(&platform);
    }
    Ok(Action::requeue(match verdict.state {
        // It is woken when another one is ready, unless an earlier operator let that one go first.
        _ if defaults.is_waiting => requeue::LATER,
        State::Ready => requeue::ONCE_IN_A_WHILE,
        State::Reconciling | State::Stalled => requeue::LATER,
    }))
}

/// Writes the values that must not change by themselves into the status, before anything is created
/// for a platform.
async fn pin(
    ctx: &Context,
    mut platform: BookingPlatform,
    fetched: &FetchedPlatform,
    defaults: &Defaults,
) -> Result<BookingPlatform, Error> {
    let observed = fetched.topic_name(&platform);
    let rollout = defaults.rollout.clone();
    let pinned = pinned(&platform, observed, &defaults.values, rollout);
    if platform.status.as_ref() != Some(&pinned) {
        apply_status(ctx, &platform, &pinned).await?;
        platform.status = Some(pinned);
    }
    Ok(platform)
}

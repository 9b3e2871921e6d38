//! Carries a platform's expansion out, and removes the services that its file no longer has.

use futures::future::try_join_all;
use innkeeper_crds::{BookingPlatform, DomainService};
use innkeeper_plan::kinds::Prune;
use innkeeper_plan::{Expansion, Rendered};
use kube::api::DynamicObject;
use kube::{Resource as _, ResourceExt as _};

use super::Outcome;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{
    Claim, Inventory, Notes, Standing, apply as apply_claim, fetch_claims, obstacle, prune,
};
use crate::status::CommonStatus;
use crate::verdict::{Reason, State, holds, ready_condition};

/// What a platform consists of, and how each part stands.
#[derive(Debug, Default)]
pub(super) struct Children {
    /// Those that there are.
    pub present: Vec<Child>,
    /// The names of those that are not made before all of an earlier wave are ready.
    pub withheld: Vec<String>,
}

impl Children {
    /// The services among those that there are.
    pub(super) fn services(&self) -> impl Iterator<Item = &Child> {
        let kind = DomainService::kind(&());
        self.present.iter().filter(move |child| child.kind == kind)
    }

    /// How many services are ready.
    pub(super) fn ready_services(&self) -> usize {
        self.services().filter(|child| child.is_ready()).count()
    }

    fn are_ready(&self) -> bool {
        self.withheld.is_empty() && self.present.iter().all(Child::is_ready)
    }
}

/// A part of a platform, and how it stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Child {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it stands; `None` until someone has looked at what it should be now.
    pub standing: Option<State>,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

impl Child {
    /// How an object stands, by its own conditions.
    fn of(kind: &str, object: &DynamicObject) -> Self {
        let status = CommonStatus::of(object);
        let is_current = Some(status.observed_generation) == object.metadata.generation;
        let conditions = if is_current {
            &status.conditions[..]
        } else {
            &[]
        };
        let ready = ready_condition(conditions);
        Self {
            kind: kind.to_owned(),
            name: object.name_any(),
            standing: State::ALL
                .into_iter()
                .find(|state| holds(conditions, *state)),
            reason: ready.map(|it| it.reason.clone()).unwrap_or_default(),
            message: ready.map(|it| it.message.clone()).unwrap_or_default(),
        }
    }

    fn is_ready(&self) -> bool {
        self.standing == Some(State::Ready)
    }

    /// Whether it is ready, and switched off.
    pub(super) fn is_off(&self) -> bool {
        self.is_ready() && self.reason == Reason::Off.word()
    }
}

/// Carries a platform's expansion out.
pub(super) async fn apply(
    ctx: &Context,
    platform: &BookingPlatform,
    expansion: &Expansion,
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    let waves = fetch_waves(ctx, platform, expansion).await?;
    if let Some(obstacle) = obstacle(waves.iter().flatten()) {
        return Ok(Outcome::Stopped(obstacle));
    }
    let mut children = Children::default();
    for wave in &waves {
        let is_open = children.are_ready();
        for claim in wave {
            let Rendered { resource, .. } = &claim.rendered;
            if !is_open && claim.standing == Standing::Free {
                children.withheld.push(claim.rendered.name().to_owned());
                continue;
            }
            match apply_claim(ctx, platform, claim, notes).await? {
                Ok(applied) => children.present.push(Child::of(&resource.kind, &applied)),
                Err(refused) => return Ok(Outcome::Refused(refused)),
            }
        }
    }
    let inventory = Inventory::of(waves.iter().flatten());
    prune(&ctx.client, platform, &inventory, Prune::Last).await?;
    let topic_name = expansion.topic.spec.topic_name.clone();
    Ok(Outcome::Applied(children, topic_name))
}

/// Looks whose the names of a platform's children are; each goes when the platform goes.
async fn fetch_waves(
    ctx: &Context,
    platform: &BookingPlatform,
    expansion: &Expansion,
) -> Result<Vec<Vec<Claim>>, Error> {
    let owner = platform.controller_owner_ref(&()).unwrap_or_default();
    let fetch = |mut wave: Vec<Rendered>| {
        for rendered in &mut wave {
            rendered.object.metadata.owner_references = Some(vec![owner.clone()]);
        }
        fetch_claims(&ctx.client, &owner, wave)
    };
    try_join_all(expansion.waves().into_iter().map(fetch)).await
}

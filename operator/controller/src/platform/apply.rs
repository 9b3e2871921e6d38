//! Carries a platform's expansion out, and removes the services that its file no longer has.

use innkeeper_crds::{BookingPlatform, Condition, DomainService, EventTopic};
use innkeeper_plan::Expansion;
use innkeeper_plan::render::Rendered;
use kube::api::DynamicObject;
use kube::{Resource as _, ResourceExt as _};

use super::Outcome;
use crate::context::Context;
use crate::error::Error;
use crate::ownership::{
    Claim, Notes, Standing, apply as apply_claim, fetch_claims, names_of, obstacle, prune, typed,
};
use crate::status::Observed;
use crate::verdict::{Reason, State, holds, ready_condition};

/// What a platform consists of, and how each part stands.
#[derive(Debug, Default)]
pub(super) struct Family {
    /// Its topic.
    pub topic: Child,
    /// The topic's name in Kafka.
    pub topic_name: String,
    /// Its services that there are.
    pub services: Vec<Child>,
    /// Its services that are not made before the topic is ready.
    pub withheld: Vec<String>,
}

impl Family {
    /// How many services are ready.
    pub(super) fn ready_services(&self) -> usize {
        let ready = |child: &&Child| child.standing == Some(State::Ready);
        self.services.iter().filter(ready).count()
    }

    fn add(&mut self, claim: &Claim, applied: &DynamicObject) -> Result<(), Error> {
        if is_topic(claim) {
            let topic: EventTopic = typed(claim, applied)?;
            let observed = topic.status.as_ref().map(|it| it.observed_generation);
            self.topic = Child::of(&topic, observed);
            self.topic_name = topic.spec.topic_name;
        } else {
            let service: DomainService = typed(claim, applied)?;
            let observed = service.status.as_ref().map(|it| it.observed_generation);
            self.services.push(Child::of(&service, observed));
        }
        Ok(())
    }
}

/// A part of a platform, and how it stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Child {
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
    pub(super) fn of<K: Observed>(object: &K, observed_generation: Option<i64>) -> Self {
        let conditions: &[Condition] = if observed_generation == object.meta().generation {
            object.conditions()
        } else {
            &[]
        };
        let ready = ready_condition(conditions);
        Self {
            name: object.name_any(),
            standing: State::ALL
                .into_iter()
                .find(|state| holds(conditions, *state)),
            reason: ready.map(|it| it.reason.clone()).unwrap_or_default(),
            message: ready.map(|it| it.message.clone()).unwrap_or_default(),
        }
    }

    /// Whether it is ready, and switched off.
    pub(super) fn is_off(&self) -> bool {
        self.standing == Some(State::Ready) && self.reason == Reason::Off.word()
    }
}

/// Carries a platform's expansion out.
pub(super) async fn apply(
    ctx: &Context,
    platform: &BookingPlatform,
    expansion: Expansion,
    notes: &mut Notes,
) -> Result<Outcome, Error> {
    let owner = platform.controller_owner_ref(&()).unwrap_or_default();
    let mut rendered = vec![Rendered::of(&expansion.topic)];
    rendered.extend(expansion.services.iter().map(Rendered::of));
    let claims = fetch_claims(&ctx.client, &owner, rendered).await?;
    if let Some(obstacle) = obstacle(&claims) {
        return Ok(Outcome::Stopped(obstacle));
    }
    let mut family = Family::default();
    for claim in &claims {
        if is_withheld(claim, &family) {
            family.withheld.push(claim.rendered.name().to_owned());
            continue;
        }
        match apply_claim(ctx, platform, claim, notes).await? {
            Ok(applied) => family.add(claim, &applied)?,
            Err(refused) => return Ok(Outcome::Refused(refused)),
        }
    }
    prune_services(ctx, platform, &claims).await?;
    Ok(Outcome::Applied(family))
}

/// Whether an object is not made yet: a service is not made before its topic is ready.
fn is_withheld(claim: &Claim, family: &Family) -> bool {
    let topic_ready = family.topic.standing == Some(State::Ready);
    !is_topic(claim) && !topic_ready && claim.standing == Standing::Free
}

fn is_topic(claim: &Claim) -> bool {
    claim.rendered.resource.kind == EventTopic::kind(&())
}

/// Deletes the platform's services that its file no longer has; their objects go with them.
async fn prune_services(
    ctx: &Context,
    platform: &BookingPlatform,
    claims: &[Claim],
) -> Result<(), Error> {
    let wanted = names_of::<DomainService>(claims);
    prune::<DomainService>(&ctx.client, platform, &wanted).await
}

//! What a platform consists of, and how each part stands.

use innkeeper_crds::DomainService;
use kube::api::DynamicObject;
use kube::{Resource as _, ResourceExt as _};

use crate::status::CommonStatus;
use crate::verdict::{Reason, State, holds, ready_condition};

/// What a platform consists of, and how each part stands.
#[derive(Debug, Default)]
pub struct Children {
    /// Those that there are.
    pub present: Vec<Child>,
    /// The names of those that are not made before all of an earlier wave are ready.
    pub withheld: Vec<String>,
}

impl Children {
    /// The services among those that there are.
    pub fn services(&self) -> impl Iterator<Item = &Child> {
        let kind = DomainService::kind(&());
        self.present.iter().filter(move |child| child.kind == kind)
    }

    /// How many services are ready.
    pub fn ready_services(&self) -> usize {
        self.services().filter(|child| child.is_ready()).count()
    }

    /// Whether there is all of it, and all of that is ready.
    pub fn are_ready(&self) -> bool {
        self.withheld.is_empty() && self.present.iter().all(Child::is_ready)
    }
}

/// A part of a platform, and how it stands.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Child {
    /// Its kind.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// How it stands; `None` until someone has looked at what it should be now.
    pub state: Option<State>,
    /// Why, in one word.
    pub reason: String,
    /// Why, in a sentence.
    pub message: String,
}

impl Child {
    /// How an object stands, by its own conditions.
    pub fn of(kind: &str, object: &DynamicObject) -> Self {
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
            state: State::ALL
                .into_iter()
                .find(|state| holds(conditions, *state)),
            reason: ready.map(|it| it.reason.clone()).unwrap_or_default(),
            message: ready.map(|it| it.message.clone()).unwrap_or_default(),
        }
    }

    fn is_ready(&self) -> bool {
        self.state == Some(State::Ready)
    }

    /// Whether it is ready, and switched off.
    pub fn is_off(&self) -> bool {
        self.is_ready() && self.reason == Reason::Off.word()
    }
}

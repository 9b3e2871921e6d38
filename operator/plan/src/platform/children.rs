//! The children of a platform, with their states.

use innkeeper_crds::DomainService;
use kube::api::DynamicObject;
use kube::{Resource as _, ResourceExt as _};

use crate::status::CommonStatus;
use crate::verdict::{Reason, State, holds, ready_condition};

/// The children of a platform, with their states.
#[derive(Debug, Default)]
pub struct Children {
    /// The children that exist.
    pub present: Vec<Child>,
    /// Names of the children that are not created until everything in an earlier wave is ready.
    pub withheld: Vec<String>,
}

impl Children {
    /// The services among the existing children.
    pub fn services(&self) -> impl Iterator<Item = &Child> {
        let kind = DomainService::kind(&());
        self.present.iter().filter(move |child| child.kind == kind)
    }

    /// How many services are ready.
    pub fn ready_services(&self) -> usize {
        self.services().filter(|child| child.is_ready()).count()
    }

    /// Whether all children exist and are ready.
    pub fn are_ready(&self) -> bool {
        self.withheld.is_empty() && self.present.iter().all(Child::is_ready)
    }
}

/// A child of a platform, with its state.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Child {
    /// Kind of the child.
    pub kind: String,
    /// Name of the child.
    pub name: String,
    /// State of the child; `None` until its current generation was observed.
    pub state: Option<State>,
    /// The reason for the state, in one word.
    pub reason: String,
    /// The reason for the state, in a sentence.
    pub message: String,
}

impl Child {
    /// The state of a child by its own conditions.
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

    /// Whether the child is ready and switched off.
    pub fn is_off(&self) -> bool {
        self.is_ready() && self.reason == Reason::Off.word()
    }
}

//! Decides what to do about a service.

use super::callees::Unready;
use crate::ownership::{DesiredObject, Obstacle, Ownership, obstacle};
use crate::refusal::Refusals;

/// What to do about a service.
#[derive(Debug)]
pub enum ServicePlan {
    /// Do nothing, because the specification is invalid.
    Refuse(Refusals),
    /// Do nothing, because objects of others are in the way.
    Stop(Obstacle),
    /// Do nothing yet, because these callees must be ready first.
    Wait(Vec<Unready>),
    /// Apply these objects in this order.
    Apply(Vec<DesiredObject>),
}

/// What to do about a service. It waits for its callees only before its first rollout: a service
/// that runs copes with a callee that is unavailable.
pub fn plan(
    validated: Result<(), Refusals>,
    objects: Vec<DesiredObject>,
    unready: Vec<Unready>,
) -> ServicePlan {
    if let Err(refusals) = validated {
        return ServicePlan::Refuse(refusals);
    }
    if let Some(obstacle) = obstacle(&objects) {
        return ServicePlan::Stop(obstacle);
    }
    let begun = objects
        .iter()
        .any(|desired| matches!(desired.ownership, Ownership::Ours(_)));
    if !begun && !unready.is_empty() {
        return ServicePlan::Wait(unready);
    }
    ServicePlan::Apply(objects)
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::core::v1::Service;

    use super::*;
    use crate::rendered::Rendered;

    fn desired(ownership: Ownership) -> DesiredObject {
        let mut service = Service::default();
        service.metadata.name = Some("pay".to_owned());
        DesiredObject {
            rendered: Rendered::of(&service),
            ownership,
            live: None,
        }
    }

    fn waiting_for_pay(ownerships: Vec<Ownership>) -> ServicePlan {
        let unready = vec![Unready {
            service: "pay".to_owned(),
            why: None,
        }];
        plan(
            Ok(()),
            ownerships.into_iter().map(desired).collect(),
            unready,
        )
    }

    fn ours() -> Ownership {
        Ownership::Ours("uid".to_owned())
    }

    #[test]
    fn a_caller_waits_before_its_first_rollout() {
        assert!(matches!(
            waiting_for_pay(vec![Ownership::Free, Ownership::Free]),
            ServicePlan::Wait(_)
        ));
    }

    #[test]
    fn a_caller_that_runs_is_kept_as_described_while_its_callee_is_away() {
        assert!(matches!(
            waiting_for_pay(vec![ours(), Ownership::Free]),
            ServicePlan::Apply(_)
        ));
    }

    #[test]
    fn an_invalid_service_is_not_applied_even_if_it_runs() {
        let refused = Err(Refusals(Vec::new()));
        let plan = plan(refused, vec![desired(ours())], Vec::new());
        assert!(matches!(plan, ServicePlan::Refuse(_)), "{plan:?}");
    }

    #[test]
    fn one_foreign_name_stops_everything() {
        let ServicePlan::Stop(obstacle) = waiting_for_pay(vec![ours(), Ownership::Foreign]) else {
            panic!("nothing may be written");
        };
        assert_eq!(obstacle, Obstacle::Taken(vec!["Service pay".to_owned()]));
    }
}

//! How many pods are asked for, and by whom. With autoscaling the number belongs to the autoscaler, but a field that its
//! owner just drops falls back to 1: the number that was seen is asked for until someone else owns it.

use innkeeper_crds::workload::Workload;

/// What a Deployment that exists says of its number of pods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ObservedReplicas {
    /// How many pods it asks for.
    pub count: i32,
    /// Whether someone else than Innkeeper set that number last.
    pub owned_by_another: bool,
}

/// The number of pods to ask for; `None` leaves it to whoever owns it.
pub fn replicas(workload: &Workload, observed: Option<ObservedReplicas>) -> Option<i32> {
    let fewest = fewest_replicas(workload);
    if workload.autoscaling.is_none() {
        return Some(fewest);
    }
    match observed {
        // An autoscaler leaves a Deployment at 0 alone: someone has switched it off.
        None | Some(ObservedReplicas { count: 0, .. }) => Some(fewest),
        Some(observed) if observed.owned_by_another => None,
        Some(observed) => Some(observed.count),
    }
}

/// The fewest pods with which the service is as its owner wants it.
pub fn fewest_replicas(workload: &Workload) -> i32 {
    let autoscaled = workload.autoscaling.as_ref().map(|it| it.min_replicas);
    autoscaled.or(workload.replicas).unwrap_or(1).cast_signed()
}

#[cfg(test)]
mod tests {
    use innkeeper_crds::workload::Autoscaling;

    use super::*;

    fn autoscaled(min_replicas: u32) -> Workload {
        Workload {
            autoscaling: Some(Autoscaling {
                min_replicas,
                max_replicas: 10,
                target_cpu_utilization_percentage: 15,
                behavior: None,
            }),
            ..Workload::default()
        }
    }

    const fn seen(count: i32, owned_by_another: bool) -> ObservedReplicas {
        ObservedReplicas {
            count,
            owned_by_another,
        }
    }

    #[test]
    fn a_fixed_number_is_asked_for_whatever_was_seen() {
        let fixed = |replicas| Workload {
            replicas,
            ..Workload::default()
        };
        assert_eq!(replicas(&fixed(None), None), Some(1));
        assert_eq!(replicas(&fixed(Some(3)), Some(seen(7, true))), Some(3));
        assert_eq!(replicas(&fixed(Some(0)), Some(seen(7, true))), Some(0));
    }

    #[test]
    fn an_autoscaled_service_begins_with_its_fewest_pods() {
        assert_eq!(replicas(&autoscaled(2), None), Some(2));
    }

    #[test]
    fn an_edit_never_writes_fewer_pods_than_the_autoscaler_holds() {
        for observed in 1..=10 {
            let mine = replicas(&autoscaled(1), Some(seen(observed, false)));
            assert_eq!(mine, Some(observed));
            let theirs = replicas(&autoscaled(1), Some(seen(observed, true)));
            assert_eq!(theirs, None);
        }
    }

    #[test]
    fn a_service_that_was_off_begins_again() {
        assert_eq!(replicas(&autoscaled(2), Some(seen(0, false))), Some(2));
    }
}

//! How many pods to ask for. With autoscaling, by anybody, the number belongs to the autoscaler.
//! But a field that its owner just omits falls back to 1, so the observed number is asked for until
//! somebody else owns the field.

use innkeeper_crds::workload::Workload;

/// What an existing Deployment says about its number of pods.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ObservedReplicas {
    /// The number of pods that it asks for.
    pub count: i32,
    /// Whether somebody other than Innkeeper set that number last.
    pub owned_by_another: bool,
    /// Whether an autoscaler that is not ours scales it.
    pub autoscaled_by_another: bool,
}

/// The number of pods to ask for; `None` leaves it to the owner of the field.
pub fn replicas(workload: &Workload, observed: Option<ObservedReplicas>) -> Option<i32> {
    let fewest = fewest_replicas(workload);
    match observed {
        Some(observed) if !is_fixed(workload, observed) => shared_replicas(fewest, observed),
        _ => Some(fewest),
    }
}

/// Whether the platform alone decides the number. An autoscaler does not scale what is switched
/// off, so nobody contests a 0.
fn is_fixed(workload: &Workload, observed: ObservedReplicas) -> bool {
    workload.autoscaling.is_none()
        && (!observed.autoscaled_by_another || fewest_replicas(workload) == 0)
}

fn shared_replicas(fewest: i32, observed: ObservedReplicas) -> Option<i32> {
    match observed.count {
        _ if observed.owned_by_another => None,
        // The service was switched off in the platform and is switched on again. An autoscaler
        // would leave it at 0.
        0 => Some(fewest),
        count => Some(count),
    }
}

/// The fewest pods with which the service is as described.
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
            autoscaled_by_another: false,
        }
    }

    const fn scaled_by_another(count: i32, owned_by_another: bool) -> ObservedReplicas {
        ObservedReplicas {
            autoscaled_by_another: true,
            ..seen(count, owned_by_another)
        }
    }

    fn fixed(replicas: Option<u32>) -> Workload {
        Workload {
            replicas,
            ..Workload::default()
        }
    }

    #[test]
    fn a_fixed_number_is_asked_for_whatever_was_seen() {
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

    #[test]
    fn an_autoscaled_service_that_somebody_scaled_to_none_stays_so() {
        assert_eq!(replicas(&autoscaled(2), Some(seen(0, true))), None);
    }

    #[test]
    fn a_fixed_number_is_left_to_an_autoscaler_of_somebody_else() {
        let three = fixed(Some(3));
        assert_eq!(replicas(&three, Some(scaled_by_another(5, true))), None);
        assert_eq!(replicas(&three, Some(scaled_by_another(0, true))), None);
        let not_yet = Some(scaled_by_another(5, false));
        assert_eq!(replicas(&three, not_yet), Some(5));
    }

    #[test]
    fn a_service_is_switched_off_and_on_beside_an_autoscaler_of_somebody_else() {
        let off = replicas(&fixed(Some(0)), Some(scaled_by_another(5, true)));
        assert_eq!(off, Some(0));
        let on = replicas(&fixed(Some(3)), Some(scaled_by_another(0, false)));
        assert_eq!(on, Some(3));
    }
}

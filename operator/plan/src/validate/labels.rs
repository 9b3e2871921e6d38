//! Refuses labels by which clients could not give a command that only they give: cancel a booking,
//! capture a payment that is captured by hand, start or complete a fulfillment.

use innkeeper_contracts::commands::{
    BOOKING, CANCEL_BOOKING, CAPTURE_PAYMENT, COMPLETE_FULFILLMENT, Command, FULFILLMENT, PAYMENT,
    START_FULFILLMENT,
};
use innkeeper_contracts::settings::{Capture, Component, StartAs};
use innkeeper_crds::platform::Service;
use innkeeper_crds::{BookingPlatformSpec, DomainService};

use crate::refusal::Collector;

pub(super) fn check(spec: &BookingPlatformSpec, collector: &mut Collector) {
    for (index, service) in spec.services.iter().enumerate() {
        for component in components(service) {
            let block = component.name();
            let statuses = format!("spec.services[{index}].{block}.statuses");
            check_component(&component, &statuses, collector);
        }
    }
}

pub(super) fn check_service(service: &DomainService, collector: &mut Collector) {
    let component = &service.spec.settings.component;
    let block = component.name();
    let statuses = format!("spec.settings.component.{block}.words.statuses");
    check_component(component, &statuses, collector);
}

/// The components of a service that have states; there is more than one in a service that is
/// refused for that.
fn components(service: &Service) -> impl Iterator<Item = Component> {
    let booking = service.booking.as_ref();
    let payment = service.payment.as_ref();
    let fulfillment = service.fulfillment.as_ref();
    let booking = booking.map(|it| Component::Booking(it.settings(None, None)));
    let payment = payment.map(|it| Component::Payment(it.settings(vec![], None, vec![])));
    let fulfillment =
        fulfillment.map(|it| Component::Fulfillment(it.settings(Vec::new(), Vec::new())));
    booking.into_iter().chain(payment).chain(fulfillment)
}

fn check_component(component: &Component, statuses: &str, collector: &mut Collector) {
    let (commands, required): (_, &[Command]) = match component {
        Component::Booking(_) => (&BOOKING, &[CANCEL_BOOKING]),
        Component::Payment(payment) if payment.capture == Capture::Manual => {
            (&PAYMENT, &[CAPTURE_PAYMENT])
        }
        Component::Fulfillment(_) => (&FULFILLMENT, &[START_FULFILLMENT, COMPLETE_FULFILLMENT]),
        Component::Payment(_) | Component::Gateway(_) | Component::View(_) => return,
    };
    let Some(words) = component.words() else {
        return;
    };
    for command in required {
        let mut allowed = command.from.iter().filter(|state| occurs(component, state));
        let Some(target) = command.to.first() else {
            continue;
        };
        let label = words.label(target);
        if allowed.all(|state| commands.given(words, state, label) == Some(command)) {
            continue;
        }
        let mut states = commands.states.iter();
        let other = states.find(|it| *it != target && words.label(it) == label);
        let other = other.unwrap_or(target);
        let explicit = [other, target].into_iter();
        let explicit = explicit.filter(|it| words.statuses.contains_key(**it));
        let at = explicit.fold(statuses.to_owned(), |_, state| {
            format!("{statuses}.{state}")
        });
        let (name, noun) = (command.name, component.name());
        collector.refuse(
            at,
            format!("no client could {name} a {noun}: {target} and {other} have the same label, {label:?}; give one of them another"),
        );
    }
}

/// Whether rows of a component are ever in a state.
fn occurs(component: &Component, state: &str) -> bool {
    let begins_in_progress = matches!(
        component,
        Component::Fulfillment(fulfillment) if fulfillment.start_as == StartAs::InProgress
    );
    !(begins_in_progress && state == "scheduled")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use innkeeper_contracts::Words;
    use innkeeper_contracts::commands::Commands;
    use innkeeper_contracts::settings::{Booking, Fulfillment, Payment};

    use super::*;
    use crate::refusal::Refuser;

    fn is_refused(component: &Component) -> bool {
        let mut collector = Collector::new(Refuser::Validate);
        check_component(component, "statuses", &mut collector);
        collector.finish(()).is_err()
    }

    /// The pairs of states that must not have one label, as found by giving one to every pair: a
    /// label of its own, or the canonical name of one of the two.
    fn refused_pairs(commands: &Commands, component: impl Fn(Words) -> Component) -> Vec<String> {
        let mut pairs = Vec::new();
        for (index, first) in commands.states.iter().enumerate() {
            for second in &commands.states[index + 1..] {
                let labels = [
                    vec![(*first, "same"), (*second, "same")],
                    vec![(*first, *second)],
                    vec![(*second, *first)],
                ];
                let labels = labels.map(|labels| {
                    let owned =
                        |(state, label): &(&str, &str)| (state.to_string(), label.to_string());
                    let statuses: BTreeMap<_, _> = labels.iter().map(owned).collect();
                    let words = Words {
                        statuses,
                        ..Words::default()
                    };
                    is_refused(&component(words))
                });
                assert!(
                    labels == [true; 3] || labels == [false; 3],
                    "{first} {second}"
                );
                if labels[0] {
                    pairs.push(format!("{first} {second}"));
                }
            }
        }
        pairs
    }

    #[test]
    fn every_state_in_which_a_booking_can_be_cancelled_has_another_label_than_cancelled() {
        let booking = |words| {
            Component::Booking(Booking {
                words,
                ..Booking::default()
            })
        };
        let expected = ["pending cancelled", "confirmed cancelled"];
        assert_eq!(refused_pairs(&BOOKING, booking), expected);
    }

    #[test]
    fn only_a_payment_that_is_captured_by_hand_needs_a_label_for_it() {
        let payment = |capture| {
            move |words| {
                Component::Payment(Payment {
                    words,
                    capture,
                    ..Payment::default()
                })
            }
        };
        let expected = ["requested captured", "authorized captured"];
        assert_eq!(refused_pairs(&PAYMENT, payment(Capture::Manual)), expected);
        assert!(refused_pairs(&PAYMENT, payment(Capture::Automatic)).is_empty());
    }

    #[test]
    fn a_fulfillment_is_started_unless_it_begins_in_progress_and_is_completed() {
        let fulfillment = |start_as| {
            move |words| {
                Component::Fulfillment(Fulfillment {
                    words,
                    start_as,
                    ..Fulfillment::default()
                })
            }
        };
        let expected = [
            "scheduled inProgress",
            "scheduled completed",
            "inProgress completed",
        ];
        assert_eq!(
            refused_pairs(&FULFILLMENT, fulfillment(StartAs::Scheduled)),
            expected
        );
        let expected = ["inProgress completed"];
        assert_eq!(
            refused_pairs(&FULFILLMENT, fulfillment(StartAs::InProgress)),
            expected
        );
    }
}

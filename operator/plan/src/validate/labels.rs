//! Refuses labels by which clients could not give a command that only they give: cancel a booking,
//! capture a payment that is captured by hand or paid later, start or complete a fulfillment.

use innkeeper_contracts::commands::{
    BOOKING, CANCEL_BOOKING, CAPTURE_PAYMENT, COMPLETE_FULFILLMENT, Command, FULFILLMENT, PAYMENT,
    START_FULFILLMENT,
};
use innkeeper_contracts::settings::{Capture, Component, PaymentTime, StartAs};
use innkeeper_crds::platform::Service;
use innkeeper_crds::{BookingPlatformSpec, DomainService};

use super::references::paid_at;
use crate::refusal::Collector;

pub(super) fn check(spec: &BookingPlatformSpec, collector: &mut Collector) {
    for (index, service) in spec.services.iter().enumerate() {
        for component in components(spec, service) {
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
fn components(spec: &BookingPlatformSpec, service: &Service) -> impl Iterator<Item = Component> {
    let booking = service.booking.as_ref();
    let payment = service.payment.as_ref();
    let fulfillment = service.fulfillment.as_ref();
    let paid = paid_at(spec, &service.name).next();
    let booking = booking.map(|it| Component::Booking(it.settings(None, None)));
    let payment = payment.map(|it| Component::Payment(it.settings(vec![], paid, vec![])));
    let fulfillment =
        fulfillment.map(|it| Component::Fulfillment(it.settings(Vec::new(), Vec::new())));
    booking.into_iter().chain(payment).chain(fulfillment)
}

fn check_component(component: &Component, statuses: &str, collector: &mut Collector) {
    let (commands, required): (_, &[Command]) = match component {
        Component::Booking(_) => (&BOOKING, &[CANCEL_BOOKING]),
        Component::Payment(payment)
            if payment.capture == Capture::Manual || payment.when == Some(PaymentTime::Later) =>
        {
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
        let mut states = commands.states.iter().filter(|it| occurs(component, it));
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

/// Whether rows of a component are ever in a state. A payment is requested if it is paid later, and
/// authorized if it is paid on placement.
fn occurs(component: &Component, state: &str) -> bool {
    match (component, state) {
        (Component::Fulfillment(it), "scheduled") => it.start_as != StartAs::InProgress,
        (Component::Payment(it), "requested") => it.when != Some(PaymentTime::OnPlacement),
        (Component::Payment(it), "authorized") => it.when != Some(PaymentTime::Later),
        _ => true,
    }
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
    fn a_payment_needs_a_label_where_a_client_captures_it() {
        use Capture::{Automatic, Manual};
        use PaymentTime::{Later, OnPlacement};
        let (requested, authorized) = ("requested captured", "authorized captured");
        for (capture, when, expected) in [
            (Manual, None, &[requested, authorized][..]),
            (Manual, Some(OnPlacement), &[authorized]),
            (Manual, Some(Later), &[requested]),
            (Automatic, Some(Later), &[requested]),
            (Automatic, Some(OnPlacement), &[]),
            (Automatic, None, &[]),
        ] {
            let payment = |words| {
                Component::Payment(Payment {
                    words,
                    capture,
                    when,
                    ..Payment::default()
                })
            };
            assert_eq!(
                refused_pairs(&PAYMENT, payment),
                expected,
                "{capture:?} {when:?}"
            );
        }
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

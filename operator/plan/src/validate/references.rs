//! Checks that calls and payments lead to a service with the right component.

use innkeeper_crds::component::BookingPayment;
use innkeeper_crds::platform::Service;
use innkeeper_crds::{BookingPlatformSpec, Duration};

use super::ValidatedCall;
use crate::refusal::Collector;

/// The timeout of a call that gives none.
const DEFAULT_CALL_TIMEOUT: Duration = Duration::from_millis(1_000);

pub(super) fn check(spec: &BookingPlatformSpec, collector: &mut Collector) {
    for (index, service) in spec.services.iter().enumerate() {
        let field_path = format!("spec.services[{index}]");
        check_calls(spec, service, &field_path, collector);
        check_pending_timeout(service, &field_path, collector);
        check_payment_of_booking(spec, service, &field_path, collector);
        check_payment_is_used(spec, service, &field_path, collector);
        check_fulfillment_can_start(spec, service, &field_path, collector);
    }
}

/// The calls of a service, including the call to the payment service of its bookings.
pub(super) fn calls(service: &Service) -> Vec<ValidatedCall> {
    let mut calls: Vec<ValidatedCall> = service
        .calls
        .iter()
        .map(|call| ValidatedCall {
            service: call.service.clone(),
            timeout: call.timeout.unwrap_or(DEFAULT_CALL_TIMEOUT),
        })
        .collect();
    if let Some(payment) = payment_of(service)
        && calls.iter().all(|call| call.service != payment.service)
    {
        calls.push(ValidatedCall {
            service: payment.service.clone(),
            timeout: DEFAULT_CALL_TIMEOUT,
        });
    }
    calls
}

/// How the bookings are paid that name a payment service.
pub(super) fn paid_at<'a>(
    spec: &'a BookingPlatformSpec,
    service: &str,
) -> impl Iterator<Item = &'a BookingPayment> {
    let payments = spec.services.iter().filter_map(payment_of);
    payments.filter(move |payment| payment.service == service)
}

fn payment_of(service: &Service) -> Option<&BookingPayment> {
    service.booking.as_ref()?.payment.as_ref()
}

fn check_calls(
    spec: &BookingPlatformSpec,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) {
    for (index, call) in service.calls.iter().enumerate() {
        let field_path = format!("{field_path}.calls[{index}]");
        if call.service == service.name {
            collector.refuse(
                format!("{field_path}.service"),
                "a service cannot call itself: remove the call",
            );
        } else if named(spec, &call.service).is_none() {
            collector.refuse(
                format!("{field_path}.service"),
                unknown_service(spec, &call.service),
            );
        }
        if call.timeout.is_some_and(|timeout| timeout.as_millis() == 0) {
            collector.refuse(
                format!("{field_path}.timeout"),
                "a call needs some time: say at least 1ms",
            );
        }
    }
}

fn check_pending_timeout(service: &Service, field_path: &str, collector: &mut Collector) {
    let booking = service.booking.as_ref();
    let timeout = booking.and_then(|booking| booking.pending_timeout);
    if timeout.is_some_and(|timeout| timeout.as_millis() < 1_000) {
        collector.refuse(
            format!("{field_path}.booking.pendingTimeout"),
            "a booking needs some time to settle: say at least 1s",
        );
    }
}

fn check_payment_of_booking(
    spec: &BookingPlatformSpec,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) {
    let Some(BookingPayment { service: name, .. }) = payment_of(service) else {
        return;
    };
    let field_path = format!("{field_path}.booking.payment.service");
    match named(spec, name) {
        None => collector.refuse(field_path, unknown_service(spec, name)),
        Some(other) if other.payment.is_none() => collector.refuse(
            field_path,
            format!("the service {name} takes no money: name one with a payment block"),
        ),
        Some(_) => {}
    }
}

fn check_payment_is_used(
    spec: &BookingPlatformSpec,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) {
    if service.payment.is_none() {
        return;
    }
    let payments: Vec<&BookingPayment> = paid_at(spec, &service.name).collect();
    let Some(first) = payments.first() else {
        collector.refuse(
            format!("{field_path}.payment"),
            format!(
                "no booking is paid here: name {} as payment.service of a booking, or remove it",
                service.name
            ),
        );
        return;
    };
    let agree = |it: &BookingPayment| (it.when, it.pay_within) == (first.when, first.pay_within);
    if !payments.iter().all(|it| agree(it)) {
        collector.refuse(
            format!("{field_path}.payment"),
            "the bookings that are paid here must agree on payment.when and payment.payWithin",
        );
    }
}

fn check_fulfillment_can_start(
    spec: &BookingPlatformSpec,
    service: &Service,
    field_path: &str,
    collector: &mut Collector,
) {
    let paid = spec.services.iter().any(|other| other.payment.is_some());
    if service.fulfillment.is_some() && !paid {
        collector.refuse(
            format!("{field_path}.fulfillment.startOn"),
            "no payment would ever start it: add a service with a payment block",
        );
    }
}

fn named<'a>(spec: &'a BookingPlatformSpec, name: &str) -> Option<&'a Service> {
    spec.services.iter().find(|service| service.name == name)
}

/// The message about a service that does not exist.
pub(super) fn unknown_service(spec: &BookingPlatformSpec, name: &str) -> String {
    let known: Vec<&str> = spec
        .services
        .iter()
        .map(|service| service.name.as_str())
        .collect();
    format!(
        "there is no service {name}: name one of {}",
        known.join(", ")
    )
}

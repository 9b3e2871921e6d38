//! From a resolved component block to the component's settings.

use std::collections::BTreeMap;

use innkeeper_contracts::settings as contract;
use innkeeper_contracts::words::{self, Words};
use innkeeper_crds::DomainServiceSpec;
use innkeeper_crds::component::{
    Attribute, AttributeType, Booking, Capture, Fields, PaymentTime, Provider, StartAs,
};
use innkeeper_crds::domain_service::{
    ColumnKind, ColumnSource, ResolvedColumn, ResolvedFulfillment, ResolvedGateway,
    ResolvedPayment, ResolvedView, Route,
};
use serde::Serialize;

pub(super) fn component(spec: &DomainServiceSpec) -> Option<contract::Component> {
    let gateway = spec.gateway.as_ref().map(gateway);
    let booking = || spec.booking.as_ref().map(|block| booking(spec, block));
    let payment = || spec.payment.as_ref().map(payment);
    let fulfillment = || spec.fulfillment.as_ref().map(fulfillment);
    let view = || spec.view.as_ref().map(view);
    gateway
        .or_else(booking)
        .or_else(payment)
        .or_else(fulfillment)
        .or_else(view)
}

fn gateway(gateway: &ResolvedGateway) -> contract::Component {
    contract::Component::Gateway(contract::Gateway {
        routes: gateway.routes.iter().map(route).collect(),
    })
}

fn route(route: &Route) -> contract::Route {
    contract::Route {
        service: route.service.clone(),
        paths: route.paths.clone(),
        address: route.address.clone(),
        timeout_ms: route
            .timeout
            .map_or(contract::DEFAULT_ROUTE_TIMEOUT_MS, |timeout| {
                timeout.as_millis()
            }),
    }
}

fn booking(spec: &DomainServiceSpec, block: &Booking) -> contract::Component {
    let mut settings = contract::Booking {
        words: Words {
            fields: fields(&block.fields),
            attributes: attributes(&block.attributes),
            statuses: names(&block.statuses),
            events: names(&block.events),
        },
        required: block.required.clone(),
        currency: spec.currency.clone(),
        payment: payment_call(spec, block),
        ..contract::Booking::default()
    };
    settings.pending_timeout_seconds = block
        .pending_timeout
        .and_then(|timeout| u32::try_from(timeout.as_seconds()).ok())
        .unwrap_or(DEFAULT_PENDING_TIMEOUT_SECONDS);
    contract::Component::Booking(settings)
}

/// Seconds after which a pending booking is settled by the service itself, unless told otherwise.
const DEFAULT_PENDING_TIMEOUT_SECONDS: u32 = 60;

fn payment_call(spec: &DomainServiceSpec, block: &Booking) -> Option<contract::PaymentCall> {
    let payment = block.payment.as_ref()?;
    let callee = spec
        .callees
        .iter()
        .find(|callee| callee.service == payment.service)?;
    Some(contract::PaymentCall {
        service: payment.service.clone(),
        address: callee.address.clone(),
        when: payment_time(payment.when),
        timeout_ms: callee.timeout.as_millis(),
    })
}

const fn payment_time(when: PaymentTime) -> contract::PaymentTime {
    match when {
        PaymentTime::OnPlacement => contract::PaymentTime::OnPlacement,
        PaymentTime::Later => contract::PaymentTime::Later,
    }
}

fn payment(resolved: &ResolvedPayment) -> contract::Component {
    let block = &resolved.block;
    contract::Component::Payment(contract::Payment {
        words: Words {
            fields: fields(&block.fields),
            attributes: attributes(&block.attributes),
            statuses: names(&block.statuses),
            events: names(&block.events),
        },
        bookings: resolved.bookings.clone(),
        capture: match block.capture {
            Capture::Automatic => contract::Capture::Automatic,
            Capture::Manual => contract::Capture::Manual,
        },
        when: resolved.when.map(payment_time),
        provider: provider(&block.provider),
    })
}

fn provider(provider: &Provider) -> contract::Provider {
    contract::Provider::Test {
        decline_above: provider.test.as_ref().and_then(|test| test.decline_above),
    }
}

fn fulfillment(resolved: &ResolvedFulfillment) -> contract::Component {
    let block = &resolved.block;
    contract::Component::Fulfillment(contract::Fulfillment {
        words: Words {
            fields: fields(&block.fields),
            attributes: attributes(&block.attributes),
            statuses: names(&block.statuses),
            events: names(&block.events),
        },
        payments: resolved.payments.clone(),
        bookings: resolved.bookings.clone(),
        start_as: match block.start_as {
            StartAs::Scheduled => contract::StartAs::Scheduled,
            StartAs::InProgress => contract::StartAs::InProgress,
        },
    })
}

fn view(view: &ResolvedView) -> contract::Component {
    contract::Component::View(contract::View {
        columns: view.columns.iter().map(column).collect(),
    })
}

fn column(column: &ResolvedColumn) -> contract::Column {
    contract::Column {
        name: column.name.clone(),
        sources: column.sources.iter().map(source).collect(),
    }
}

fn source(source: &ColumnSource) -> contract::ColumnSource {
    let value = match (source.kind, source.field, &source.attribute) {
        (ColumnKind::Field, Some(field), _) => contract::ColumnValue::Field(field),
        (ColumnKind::Attribute, _, Some(name)) => contract::ColumnValue::Attribute(name.clone()),
        _ => contract::ColumnValue::Id,
    };
    contract::ColumnSource {
        service: source.service.clone(),
        value,
    }
}

fn fields(fields: &Fields) -> BTreeMap<words::Field, String> {
    fields.by_field()
}

fn attributes(attributes: &[Attribute]) -> Vec<words::Attribute> {
    attributes
        .iter()
        .map(|attribute| words::Attribute {
            name: attribute.name.clone(),
            kind: match attribute.kind {
                AttributeType::String => words::AttributeType::String,
                AttributeType::Integer => words::AttributeType::Integer,
                AttributeType::Boolean => words::AttributeType::Boolean,
            },
            from: attribute.from.clone(),
            min_length: attribute.min_length,
            max_length: attribute.max_length,
            minimum: attribute.minimum,
            maximum: attribute.maximum,
        })
        .collect()
}

/// Names by state: a struct of optional names becomes a map of those that are there.
fn names(names: &impl Serialize) -> BTreeMap<String, String> {
    serde_json::to_value(names)
        .and_then(serde_json::from_value)
        .unwrap_or_default()
}

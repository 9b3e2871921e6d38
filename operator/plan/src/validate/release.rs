//! Refuses fields that images of earlier releases do not know: such a pod would reject its settings
//! and never start.

use innkeeper_contracts::settings::{Component, Database, Log};
use innkeeper_crds::component::Attribute;
use innkeeper_crds::{BookingPlatform, DomainService, database};

use super::pinned_image;
use crate::executor::{ClusterDefaults, Executor};
use crate::refusal::Collector;
use crate::release::{
    BOOKING_ADDRESSES, CORS, MIN_LENGTH, NewField, PAY_WITHIN, SASL, TLS, release,
};

pub(super) fn check(platform: &BookingPlatform, executor: &Executor, collector: &mut Collector) {
    let (Executor::Cluster(installation), Some(image)) = (executor, pinned_image(platform)) else {
        return;
    };
    let images = (image.as_str(), installation.image.as_str());
    if let Some(field_path) = shared_tls(platform, installation) {
        refuse(&TLS, field_path.to_owned(), images, collector);
    }
    for (field, field_path) in kafka_fields(platform, installation) {
        refuse(&field, field_path, images, collector);
    }
    for (index, service) in platform.spec.services.iter().enumerate() {
        if has_tls(service.database.as_ref()) {
            let field_path = format!("spec.services[{index}].database.postgres.tls");
            refuse(&TLS, field_path, images, collector);
        }
        if service.gateway.as_ref().is_some_and(|it| it.cors.is_some()) {
            let field_path = format!("spec.services[{index}].gateway.cors");
            refuse(&CORS, field_path, images, collector);
        }
        let paid = service.booking.as_ref().and_then(|it| it.payment.as_ref());
        if paid.is_some_and(|it| it.pay_within.is_some()) {
            let field_path = format!("spec.services[{index}].booking.payment.payWithin");
            refuse(&PAY_WITHIN, field_path, images, collector);
        }
        let (payment, fulfillment) = (service.payment.as_ref(), service.fulfillment.as_ref());
        let booking = service.booking.as_ref();
        let blocks = [
            ("booking", booking.map(|it| &it.attributes[..])),
            ("payment", payment.map(|it| &it.attributes[..])),
            ("fulfillment", fulfillment.map(|it| &it.attributes[..])),
        ];
        for (block, attributes) in blocks {
            for inner in min_lengths(attributes.unwrap_or_default()) {
                let field_path = format!("spec.services[{index}].{block}.{inner}");
                refuse(&MIN_LENGTH, field_path, images, collector);
            }
        }
    }
}

pub(super) fn check_service(service: &DomainService, own: &str, collector: &mut Collector) {
    let component = &service.spec.settings.component;
    let attributes = component.words().map_or(&[][..], |it| &it.attributes);
    let field_path = format!("spec.settings.component.{}.words", component.name());
    let images = (service.spec.image.as_str(), own);
    for inner in min_lengths(attributes) {
        let field_path = format!("{field_path}.{inner}");
        refuse(&MIN_LENGTH, field_path, images, collector);
    }
    if matches!(component, Component::Gateway(gateway) if gateway.cors.is_some()) {
        let field_path = "spec.settings.component.gateway.cors".to_owned();
        refuse(&CORS, field_path, images, collector);
    }
    let database = service.spec.settings.database.as_ref();
    if matches!(database, Some(Database::Postgres(it)) if it.tls.is_some()) {
        let field_path = "spec.settings.database.postgres.tls".to_owned();
        refuse(&TLS, field_path, images, collector);
    }
    if let Some(Log::Kafka(kafka)) = &service.spec.settings.log {
        let field_path = "spec.settings.log.kafka";
        for (field, is_there) in [(&TLS, kafka.tls.is_some()), (&SASL, kafka.sasl.is_some())] {
            if is_there {
                refuse(
                    field,
                    format!("{field_path}.{}", field.name),
                    images,
                    collector,
                );
            }
        }
    }
    if let Component::Payment(payment) = component {
        if !payment.booking_addresses.is_empty() {
            let field_path = "spec.settings.component.payment.bookingAddresses".to_owned();
            refuse(&BOOKING_ADDRESSES, field_path, images, collector);
        }
        if payment.pay_within_seconds.is_some() {
            let field_path = "spec.settings.component.payment.payWithinSeconds".to_owned();
            refuse(&PAY_WITHIN, field_path, images, collector);
        }
    }
}

/// The path of TLS that services have which name no database of their own, if there are any.
fn shared_tls(platform: &BookingPlatform, installation: &ClusterDefaults) -> Option<&'static str> {
    let mut services = platform.spec.services.iter();
    services.find(|it| it.gateway.is_none() && it.database.is_none())?;
    let default = installation.database.as_ref();
    match &platform.spec.database {
        Some(shared) => has_tls(Some(shared)).then_some("spec.database.postgres.tls"),
        None => default?.tls.as_ref().map(|_| "spec.database"),
    }
}

/// The fields with which services reach Kafka, each with its path.
fn kafka_fields(
    platform: &BookingPlatform,
    installation: &ClusterDefaults,
) -> impl Iterator<Item = (NewField, String)> {
    let own = platform.spec.messaging.as_ref();
    let own = own.filter(|it| it.bootstrap_servers.is_some());
    let security = own.map_or(&installation.kafka, |it| &it.security);
    let fields = [
        (TLS, security.tls.is_some()),
        (SASL, security.sasl.is_some()),
    ];
    let is_own = own.is_some();
    let present = fields.into_iter().filter(|(_, is_there)| *is_there);
    present.map(move |(field, _)| {
        let field_path = if is_own {
            format!("spec.messaging.{}", field.name)
        } else {
            "spec.messaging".to_owned()
        };
        (field, field_path)
    })
}

fn has_tls(database: Option<&database::Database>) -> bool {
    database.is_some_and(|it| it.postgres.as_ref().is_some_and(|it| it.tls.is_some()))
}

/// The paths of every `minLength`, relative to the block with the attributes.
fn min_lengths(attributes: &[Attribute]) -> impl Iterator<Item = String> {
    let attributes = attributes.iter().enumerate();
    attributes
        .filter(|(_, attribute)| attribute.min_length.is_some())
        .map(|(index, _)| format!("attributes[{index}].minLength"))
}

/// Refuses a field that an image may not know. The second image is the installation's own.
fn refuse(
    field: &NewField,
    field_path: String,
    (image, own): (&str, &str),
    collector: &mut Collector,
) {
    if field.is_known_to(image, own) {
        return;
    }
    let NewField { name, since } = field;
    let doubt = match release(image) {
        Some(_) => "does not know",
        None => "has no tag that names its release, and may not know",
    };
    collector.refuse(
        field_path,
        format!(
            "the image {image} {doubt} {name}, which came with {since}: set spec.image to {own}, or leave {name} out"
        ),
    );
}

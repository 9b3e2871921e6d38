//! Refuses fields that images of earlier releases do not know: such a pod would reject its settings
//! and never start.

use innkeeper_crds::component::Attribute;
use innkeeper_crds::{BookingPlatform, DomainService};
use semver::Version;

use super::pinned_image;
use crate::executor::Executor;
use crate::refusal::Collector;

/// The release that introduced `minLength`.
const MIN_LENGTH_SINCE: Version = Version::new(0, 2, 0);

pub(super) fn check(platform: &BookingPlatform, executor: &Executor, collector: &mut Collector) {
    let (Executor::Cluster(installation), Some(image)) = (executor, pinned_image(platform)) else {
        return;
    };
    for (index, service) in platform.spec.services.iter().enumerate() {
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
                refuse(field_path, &image, &installation.image, collector);
            }
        }
    }
}

pub(super) fn check_service(service: &DomainService, own: &str, collector: &mut Collector) {
    let component = &service.spec.settings.component;
    let attributes = component.words().map_or(&[][..], |it| &it.attributes);
    let field_path = format!("spec.settings.component.{}.words", component.name());
    for inner in min_lengths(attributes) {
        refuse(
            format!("{field_path}.{inner}"),
            &service.spec.image,
            own,
            collector,
        );
    }
}

/// The paths of every `minLength`, relative to the block with the attributes.
fn min_lengths(attributes: &[Attribute]) -> impl Iterator<Item = String> {
    let attributes = attributes.iter().enumerate();
    attributes
        .filter(|(_, attribute)| attribute.min_length.is_some())
        .map(|(index, _)| format!("attributes[{index}].minLength"))
}

/// Refuses a `minLength` that an image may not know. An image other than the installation's own is
/// judged by its tag. If the tag names no release, the image is assumed not to know the field.
fn refuse(field_path: String, image: &str, own: &str, collector: &mut Collector) {
    let doubt = match release(image) {
        _ if image == own => return,
        Some(release) if release >= MIN_LENGTH_SINCE => return,
        Some(_) => "does not know minLength",
        None => "has no tag that names its release, and may not know minLength",
    };
    collector.refuse(
        field_path,
        format!(
            "the image {image} {doubt}, which came with {MIN_LENGTH_SINCE}: set spec.image to {own}, or leave minLength out"
        ),
    );
}

/// The release in an image's tag, such as `0.2.0` or `v0.2.0`.
fn release(image: &str) -> Option<Version> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let (_, tag) = name.rsplit_once(':')?;
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_release_is_what_the_tag_says_and_nothing_else() {
        for (image, expected) in [
            ("innkeeper.dev/innkeeper:0.1.0", Some("0.1.0")),
            ("localhost:5000/innkeeper:v1.2.3", Some("1.2.3")),
            ("innkeeper:0.2.0@sha256:00ff", Some("0.2.0")),
            ("innkeeper:0.2.0-rc.1", Some("0.2.0-rc.1")),
            ("innkeeper", None),
            ("localhost:5000/innkeeper", None),
            ("innkeeper:latest", None),
            ("innkeeper:1.2", None),
            ("innkeeper@sha256:00ff", None),
            ("localhost:5000/innkeeper@sha256:00ff", None),
        ] {
            let found = release(image).map(|version| version.to_string());
            assert_eq!(found.as_deref(), expected, "{image}");
        }
    }
}

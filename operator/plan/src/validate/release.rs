//! Fields that images of earlier releases do not know: such a pod would refuse its settings and never start.

use innkeeper_crds::BookingPlatform;
use innkeeper_crds::component::Attribute;
use innkeeper_crds::platform::Service;
use semver::Version;

use super::pinned_image;
use crate::executor::Executor;
use crate::refusal::Collector;

/// The release that brought `minLength`.
const MIN_LENGTH_SINCE: Version = Version::new(0, 2, 0);

/// An image that is not the installation's own is judged by its tag, and one whose tag names no release is not trusted to know a new field.
pub(super) fn check(platform: &BookingPlatform, executor: &Executor, collector: &mut Collector) {
    let Executor::Cluster(installation) = executor else {
        return;
    };
    let own = &installation.image;
    let Some(image) = pinned_image(platform).filter(|image| image != own) else {
        return;
    };
    let release = release(&image);
    if release
        .as_ref()
        .is_some_and(|release| *release >= MIN_LENGTH_SINCE)
    {
        return;
    }
    let doubt = match release {
        Some(_) => "does not know minLength",
        None => "has no tag that names its release, and may not know minLength",
    };
    for place in min_lengths(&platform.spec.services) {
        collector.refuse(
            place,
            format!(
                "the platform's image {image} {doubt}, which came with {MIN_LENGTH_SINCE}: set spec.image to {own}, or leave minLength out"
            ),
        );
    }
}

/// The release that an image's tag names, such as `0.2.0` or `v0.2.0`.
fn release(image: &str) -> Option<Version> {
    let name = image.split_once('@').map_or(image, |(name, _)| name);
    let (_, tag) = name.rsplit_once(':')?;
    Version::parse(tag.strip_prefix('v').unwrap_or(tag)).ok()
}

/// Where a `minLength` is.
fn min_lengths(services: &[Service]) -> impl Iterator<Item = String> {
    services.iter().enumerate().flat_map(|(service, block)| {
        attributes(block)
            .filter(|(_, attribute)| attribute.min_length.is_some())
            .map(move |(place, _)| format!("spec.services[{service}].{place}.minLength"))
    })
}

fn attributes(service: &Service) -> impl Iterator<Item = (String, &Attribute)> {
    let booking = service.booking.as_ref().map(|block| &block.attributes[..]);
    let payment = service.payment.as_ref().map(|block| &block.attributes[..]);
    let fulfillment = service
        .fulfillment
        .as_ref()
        .map(|block| &block.attributes[..]);
    [
        ("booking", booking),
        ("payment", payment),
        ("fulfillment", fulfillment),
    ]
    .into_iter()
    .flat_map(|(block, attributes)| {
        let attributes = attributes.unwrap_or_default().iter().enumerate();
        attributes
            .map(move |(index, attribute)| (format!("{block}.attributes[{index}]"), attribute))
    })
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

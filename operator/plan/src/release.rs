//! Which fields of the settings the image of a pod knows. A pod rejects settings with a field that
//! it does not know, and never starts.

use semver::Version;

/// A field that images of earlier releases do not know.
pub struct NewField {
    pub name: &'static str,
    /// The release that introduced it.
    pub since: Version,
}

/// The least length of a text.
pub const MIN_LENGTH: NewField = NewField {
    name: "minLength",
    since: Version::new(0, 2, 0),
};

/// The addresses of booking services in the settings of a payment service.
pub const BOOKING_ADDRESSES: NewField = NewField {
    name: "bookingAddresses",
    since: Version::new(0, 3, 0),
};

/// Which scripts of other sites may call a gateway.
pub const CORS: NewField = NewField {
    name: "cors",
    since: Version::new(0, 3, 0),
};

/// The time within which a booking is to be paid.
pub const PAY_WITHIN: NewField = NewField {
    name: "payWithin",
    since: Version::new(0, 3, 0),
};

/// How connections to PostgreSQL and Kafka are encrypted.
pub const TLS: NewField = NewField {
    name: "tls",
    since: Version::new(0, 3, 0),
};

/// How a service proves to Kafka who it is.
pub const SASL: NewField = NewField {
    name: "sasl",
    since: Version::new(0, 3, 0),
};

impl NewField {
    /// Whether an image knows the field. The installation's own image does; another is judged by
    /// its tag, and is assumed not to if that names no release.
    pub fn is_known_to(&self, image: &str, own: &str) -> bool {
        image == own || release(image).is_some_and(|release| release >= self.since)
    }
}

/// The release in an image's tag, such as `0.2.0` or `v0.2.0`.
pub fn release(image: &str) -> Option<Version> {
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

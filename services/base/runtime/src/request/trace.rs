//! W3C trace context (<https://www.w3.org/TR/trace-context/>), and ids that must be unique but need
//! not be secret.

use uuid::Uuid;
use uuid::fmt::Simple;

/// Flags of a trace that begins here: sampled.
const SAMPLED: &str = "01";

/// A trace context that begins here.
pub fn begun() -> String {
    format!("00-{}-{:016x}-{SAMPLED}", hex(), random())
}

/// The same trace with a span id of our own; `None` if the text is no trace context.
pub fn continued(traceparent: &str) -> Option<String> {
    let mut parts = traceparent.split('-');
    let (version, trace) = (parts.next()?, parts.next()?);
    let (parent, flags) = (parts.next()?, parts.next()?);
    let known = version != "ff" && (version != "00" || parts.next().is_none());
    let well_formed = is_hex(version, 2)
        && is_hex(trace, 32)
        && is_hex(parent, 16)
        && is_hex(flags, 2)
        && has_value(trace)
        && has_value(parent);
    (known && well_formed).then(|| format!("00-{trace}-{:016x}-{flags}", random()))
}

/// An id for a request that came without one.
pub fn request_id() -> String {
    hex().to_string()
}

/// 32 random hexadecimal digits.
fn hex() -> Simple {
    Uuid::from_u64_pair(random(), random()).simple()
}

fn is_hex(text: &str, length: usize) -> bool {
    text.len() == length
        && text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn has_value(hex: &str) -> bool {
    hex.bytes().any(|digit| digit != b'0')
}

/// A random number that is not zero, which is no id of a span.
fn random() -> u64 {
    fastrand::u64(1..)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00";

    #[test]
    fn a_trace_goes_on_with_a_part_of_our_own() {
        let ours = continued(PARENT).unwrap();
        assert!(ours.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(ours.ends_with("-00"));
        assert_ne!(ours, PARENT);
    }

    #[test]
    fn what_begins_here_can_be_continued() {
        assert!(continued(&begun()).is_some());
    }

    #[test]
    fn a_later_version_is_read_as_far_as_it_is_known() {
        assert!(continued(&format!("01{}-more", &PARENT[2..])).is_some());
    }

    #[test]
    fn what_is_no_trace_context_is_not_continued() {
        for broken in [
            "",
            "00",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-00",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0",
        ] {
            assert_eq!(continued(broken), None, "{broken}");
        }
    }
}

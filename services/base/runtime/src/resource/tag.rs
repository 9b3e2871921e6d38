//! Entity tags, and the preconditions that requests make of them (RFC 9110, 8.8.3 and 13).

use axum::http::header::{ETAG, IF_MATCH, IF_NONE_MATCH};
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use axum::response::Response;
use sha2::{Digest, Sha256};

/// The strong tag of a representation, in quotes: it depends on its bytes and on nothing else. It
/// is half of their SHA-256, so that nobody can make two representations that share it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Tag(String);

impl Tag {
    /// The tag of these bytes.
    pub fn of(body: &[u8]) -> Self {
        let hash = Sha256::digest(body);
        let (first, _) = hash.split_first_chunk().expect("a hash has 32 bytes");
        Self(format!("\"{:032x}\"", u128::from_be_bytes(*first)))
    }

    /// An answer with this tag.
    pub fn on(self, mut response: Response) -> Response {
        let tag = HeaderValue::try_from(self.0).expect("digits in quotes are ASCII");
        response.headers_mut().insert(ETAG, tag);
        response
    }
}

/// What a request demands of the present representation.
#[derive(Clone, Debug)]
pub struct Preconditions {
    if_match: Vec<HeaderValue>,
    if_none_match: Vec<HeaderValue>,
}

/// Whether a representation is as a request demands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Precondition {
    /// It is as demanded, or nothing is demanded.
    Holds,
    /// It is none of those that `If-Match` names.
    DoesNotMatch,
    /// It is one of those that `If-None-Match` names: the client has it already.
    Matches,
}

impl Preconditions {
    /// The preconditions in the headers of a request: lists, on one line or several, and `*`. What
    /// is no tag matches nothing.
    pub fn of(headers: &HeaderMap) -> Self {
        let lines = |name: HeaderName| headers.get_all(name).iter().cloned().collect();
        Self {
            if_match: lines(IF_MATCH),
            if_none_match: lines(IF_NONE_MATCH),
        }
    }

    /// Whether any representation will do.
    pub const fn is_empty(&self) -> bool {
        self.if_match.is_empty() && self.if_none_match.is_empty()
    }

    /// Judges a representation: `If-Match` compares strongly, `If-None-Match` weakly.
    pub fn judge(&self, tag: &Tag) -> Precondition {
        let strongly = |listed: &[u8]| listed == tag.0.as_bytes();
        let weakly = |listed: &[u8]| strongly(listed.strip_prefix(b"W/").unwrap_or(listed));
        if !self.if_match.is_empty() && !names(&self.if_match, strongly) {
            Precondition::DoesNotMatch
        } else if names(&self.if_none_match, weakly) {
            Precondition::Matches
        } else {
            Precondition::Holds
        }
    }
}

/// Whether these lines name a tag, or any: a `*` that stands alone.
fn names(lines: &[HeaderValue], is_meant: impl Fn(&[u8]) -> bool) -> bool {
    if let [line] = lines
        && line.as_bytes().trim_ascii() == b"*"
    {
        return true;
    }
    lines.iter().any(|line| {
        let mut is_quoted = false;
        let mut tags = line.as_bytes().split(move |byte| {
            is_quoted ^= *byte == b'"';
            *byte == b',' && !is_quoted
        });
        tags.any(|tag| is_meant(tag.trim_ascii()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(name: &'static str, lines: &[&str]) -> Precondition {
        let own = Tag::of(b"{}");
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = line.replace("OWN", &own.0);
            headers.append(name, HeaderValue::from_bytes(line.as_bytes()).unwrap());
        }
        Preconditions::of(&headers).judge(&own)
    }

    #[test]
    fn if_match_compares_strongly_with_every_tag_of_every_line() {
        for (lines, expected) in [
            (&["OWN"][..], Precondition::Holds),
            (&["*"], Precondition::Holds),
            (&[r#""1", OWN"#], Precondition::Holds),
            (&[r#""1""#, r#"W/"2" , OWN"#], Precondition::Holds),
            (&[r#""with, comma", OWN"#], Precondition::Holds),
            (&["\"\u{e9}\", OWN"], Precondition::Holds),
            (&[r#""with,*,star""#], Precondition::DoesNotMatch),
            (&[r#""1", *"#], Precondition::DoesNotMatch),
            (&["W/OWN"], Precondition::DoesNotMatch),
            (&[r#""1""#, r#""2""#], Precondition::DoesNotMatch),
            (&["no tag"], Precondition::DoesNotMatch),
            (&[""], Precondition::DoesNotMatch),
        ] {
            assert_eq!(judged("if-match", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn if_none_match_compares_weakly_with_every_tag_of_every_line() {
        for (lines, expected) in [
            (&["OWN"][..], Precondition::Matches),
            (&["W/OWN"], Precondition::Matches),
            (&["*"], Precondition::Matches),
            (&[r#""1""#, r#""2", W/OWN"#], Precondition::Matches),
            (&[r#""1", "2""#], Precondition::Holds),
            (&["no tag"], Precondition::Holds),
        ] {
            assert_eq!(judged("if-none-match", lines), expected, "{lines:?}");
        }
    }

    #[test]
    fn a_tag_changes_with_any_byte() {
        assert_ne!(Tag::of(b"{\"a\":1}"), Tag::of(b"{\"a\":2}"));
        assert_eq!(Tag::of(b""), Tag::of(b""));
    }
}

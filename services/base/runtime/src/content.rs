//! What the body of a request may be: its media type (RFC 9110, 8.3) and its coding (8.4).

use axum::http::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use mime::Mime;

use crate::problem::Problem;

/// Tells which media types PATCH takes (RFC 5789, 3.1).
pub const ACCEPT_PATCH: HeaderName = HeaderName::from_static("accept-patch");

/// The media types that PATCH takes, the second of which is a merge patch (RFC 7396).
pub const PATCHES: &str = "application/json, application/merge-patch+json";

/// The media types that other methods take.
const BODIES: &str = "application/json, application/hal+json";

/// The only coding that is understood: none.
const IDENTITY: &str = "identity";

/// Refuses a body of a media type or a coding that is not understood (415). Without a media type
/// it is `application/json`.
pub fn check(method: &Method, headers: &HeaderMap) -> Result<(), Problem> {
    if let Some(coding) = coding(headers) {
        let detail = format!("send the body as it is: the coding {coding} is not understood");
        let identity = HeaderValue::from_static(IDENTITY);
        return Err(unsupported(&detail).header(ACCEPT_ENCODING, identity));
    }
    let (header, known) = match *method {
        Method::PATCH => (ACCEPT_PATCH, PATCHES),
        _ => (ACCEPT, BODIES),
    };
    let is_known = match media_type(headers) {
        MediaType::Absent => true,
        MediaType::Of(mime) => known.split(", ").any(|it| it == mime.essence_str()),
        MediaType::Invalid => false,
    };
    if is_known {
        return Ok(());
    }
    let detail = format!("send a body in UTF-8 of one of these types: {known}");
    Err(unsupported(&detail).header(header, HeaderValue::from_static(known)))
}

/// Whether the body is a merge patch.
pub fn is_merge_patch(headers: &HeaderMap) -> bool {
    matches!(media_type(headers), MediaType::Of(mime) if mime.essence_str() == "application/merge-patch+json")
}

fn unsupported(detail: &str) -> Problem {
    Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE).detail(detail)
}

/// The first coding of the body that is not understood.
fn coding(headers: &HeaderMap) -> Option<String> {
    let lines = headers.get_all(CONTENT_ENCODING).iter();
    let lines = lines.map(|line| String::from_utf8_lossy(line.as_bytes()));
    let mut codings = lines.flat_map(|line| {
        let codings = line
            .split(',')
            .map(|coding| coding.trim().to_ascii_lowercase());
        codings.collect::<Vec<_>>()
    });
    codings.find(|coding| !coding.is_empty() && coding != IDENTITY)
}

enum MediaType {
    Absent,
    Of(Mime),
    /// It cannot be read, is given twice, or has a charset other than UTF-8.
    Invalid,
}

fn media_type(headers: &HeaderMap) -> MediaType {
    let mut lines = headers.get_all(CONTENT_TYPE).iter();
    let (first, more) = (lines.next(), lines.next());
    let Some(first) = first else {
        return MediaType::Absent;
    };
    let parts = first.to_str().unwrap_or_default().split(';').map(str::trim);
    let mime = parts.collect::<Vec<_>>().join(";").parse::<Mime>().ok();
    match mime.filter(is_in_utf8) {
        Some(mime) if more.is_none() => MediaType::Of(mime),
        _ => MediaType::Invalid,
    }
}

fn is_in_utf8(mime: &Mime) -> bool {
    let charset = mime.get_param(mime::CHARSET);
    charset.is_none_or(|it| it == mime::UTF_8 || it == "utf8" || it == "us-ascii")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn status(method: &Method, sent: &[(&'static str, &str)]) -> Result<(), (u16, String)> {
        let mut headers = HeaderMap::new();
        for (name, value) in sent {
            headers.append(*name, value.parse().unwrap());
        }
        check(method, &headers).map_err(|problem| {
            let (name, value) = problem.header.unwrap();
            (
                problem.status,
                format!("{name}: {}", value.to_str().unwrap()),
            )
        })
    }

    #[test]
    fn post_and_patch_take_json_each_in_its_own_forms() {
        for (method, taken, header) in [
            (
                Method::POST,
                "application/hal+json",
                "accept: application/json, application/hal+json",
            ),
            (
                Method::PATCH,
                "application/merge-patch+json",
                "accept-patch: application/json, application/merge-patch+json",
            ),
        ] {
            assert_eq!(status(&method, &[]), Ok(()));
            for good in [
                taken,
                "application/json",
                "Application/JSON ;\tCharset=\"utf-8\"",
            ] {
                assert_eq!(status(&method, &[("content-type", good)]), Ok(()), "{good}");
            }
            for bad in [
                "application/json-patch+json",
                "application/vnd.api+json",
                "text/plain",
                "application/json; charset=iso-8859-1",
                "json",
                "",
            ] {
                let refused = Err((415, header.to_owned()));
                assert_eq!(status(&method, &[("content-type", bad)]), refused, "{bad}");
            }
            let twice = [
                ("content-type", "application/json"),
                ("content-type", "text/plain"),
            ];
            assert!(status(&method, &twice).is_err());
        }
        let other = [("content-type", "application/merge-patch+json")];
        assert!(status(&Method::POST, &other).is_err());
        assert!(status(&Method::PATCH, &[("content-type", "application/hal+json")]).is_err());
    }

    #[test]
    fn a_coded_body_is_refused_whatever_is_in_it() {
        for coding in ["gzip", "identity, GZIP", "br", "x-unknown"] {
            let refused = Err((415, "accept-encoding: identity".to_owned()));
            assert_eq!(
                status(&Method::POST, &[("content-encoding", coding)]),
                refused,
                "{coding}"
            );
        }
        for plain in ["identity", "Identity", ""] {
            assert_eq!(
                status(&Method::POST, &[("content-encoding", plain)]),
                Ok(()),
                "{plain}"
            );
        }
    }

    #[test]
    fn a_merge_patch_is_told_by_its_media_type() {
        let of = |text: &str| HeaderMap::from_iter([(CONTENT_TYPE, text.parse().unwrap())]);
        assert!(is_merge_patch(&of(
            "application/merge-patch+json; charset=utf-8"
        )));
        assert!(!is_merge_patch(&of("application/json")));
        assert!(!is_merge_patch(&HeaderMap::new()));
    }
}

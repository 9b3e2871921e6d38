//! What a server asks of the head of a request before anybody routes it: one valid `Host`
//! (RFC 9112, 3.2), no transfer coding but `chunked` (6.1), and not too much of it. Equal URIs get
//! one spelling (RFC 3986, 6.2.2.2).

use std::net::Ipv6Addr;

use axum::http::header::{HOST, TRANSFER_ENCODING};
use axum::http::uri::{Authority, PathAndQuery};
use axum::http::{HeaderMap, Request, StatusCode, Uri, Version};

use innkeeper_contracts::pod::{INTERNAL_HEADERS, REQUEST_ID_HEADER, TRACEPARENT_HEADER};

use crate::problem::Problem;

/// How many headers a client may send, besides those that gateways set.
const MAX_HEADERS: usize = 100;

/// How many the HTTP library takes.
pub const MAX_LINES: usize = 160;

/// The longest head in bytes, counted as names and values, and the longest path with its query. The
/// HTTP library takes more.
const MAX_HEAD_BYTES: usize = 64 * 1024;
const MAX_URI_BYTES: usize = 16 * 1024;

/// Refuses a request whose head nobody may act on.
pub fn check<B>(request: &Request<B>) -> Result<(), Problem> {
    check_size(request.uri(), request.headers())?;
    check_host(request.version(), request.headers())?;
    check_transfer_coding(request.headers())
}

/// Refuses a head that is too large. What gateways set does not count, nor what frames the body,
/// which they may frame otherwise, so that a request that comes through one is judged as one that
/// comes directly.
fn check_size(uri: &Uri, headers: &HeaderMap) -> Result<(), Problem> {
    let path_and_query = uri.path_and_query().map_or("", PathAndQuery::as_str);
    if path_and_query.len() > MAX_URI_BYTES {
        let detail = format!("path and query may have up to {MAX_URI_BYTES} bytes");
        return Err(Problem::of(StatusCode::URI_TOO_LONG).detail(detail));
    }
    let of_client = headers
        .iter()
        .filter(|(name, _)| !is_of_gateways(name.as_str()));
    let (count, bytes) = of_client.fold((0, 0), |(count, bytes), (name, value)| {
        (count + 1, bytes + name.as_str().len() + value.len())
    });
    if count > MAX_HEADERS || bytes > MAX_HEAD_BYTES {
        let detail =
            format!("there may be up to {MAX_HEADERS} headers with {MAX_HEAD_BYTES} bytes");
        return Err(Problem::of(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE).detail(detail));
    }
    Ok(())
}

fn is_of_gateways(name: &str) -> bool {
    matches!(
        name,
        "content-length"
            | "host"
            | "transfer-encoding"
            | "via"
            | REQUEST_ID_HEADER
            | TRACEPARENT_HEADER
    ) || name.starts_with("x-forwarded-")
        || name.starts_with(INTERNAL_HEADERS)
}

fn check_host(version: Version, headers: &HeaderMap) -> Result<(), Problem> {
    let mut lines = headers.get_all(HOST).iter();
    let wrong = match (lines.next(), lines.next()) {
        (Some(_), Some(_)) => "Host is given twice",
        (Some(host), None) if !host.to_str().is_ok_and(is_host) => "Host names no host",
        (None, _) if version >= Version::HTTP_11 => "Host is missing",
        _ => return Ok(()),
    };
    Err(Problem::of(StatusCode::BAD_REQUEST).detail(wrong))
}

/// Whether a text is a host with or without a port.
fn is_host(text: &str) -> bool {
    let Ok(authority) = text.parse::<Authority>() else {
        return false;
    };
    let host = authority.host();
    let Some(port) = text.strip_prefix(host) else {
        return false; // there is a user before it
    };
    let port = port.strip_prefix(':').unwrap_or(port);
    let is_port = port.bytes().all(|it| it.is_ascii_digit())
        && (port.is_empty() || port.parse::<u16>().is_ok());
    let literal = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
    let is_name = match literal {
        Some(literal) => literal.parse::<Ipv6Addr>().is_ok(),
        None => !host.is_empty() && !host.contains(['[', ']']),
    };
    is_name && is_port
}

/// Refuses what is coded besides being chunked (501), and what is chunked twice (400).
fn check_transfer_coding(headers: &HeaderMap) -> Result<(), Problem> {
    let lines = headers.get_all(TRANSFER_ENCODING).iter();
    let lines: Vec<_> = lines
        .map(|line| String::from_utf8_lossy(line.as_bytes()))
        .collect();
    let codings = lines.iter().flat_map(|line| line.split(',')).map(str::trim);
    let codings: Vec<&str> = codings.filter(|coding| !coding.is_empty()).collect();
    let before = codings.split_last().map_or(&[][..], |(_, before)| before);
    if before
        .iter()
        .any(|coding| coding.eq_ignore_ascii_case("chunked"))
    {
        return Err(Problem::of(StatusCode::BAD_REQUEST).detail("the body is chunked twice"));
    }
    before.first().map_or(Ok(()), |coding| {
        let detail = format!("the transfer coding {coding} is not understood");
        Err(Problem::of(StatusCode::NOT_IMPLEMENTED).detail(detail))
    })
}

/// Gives a URI the spelling that all equal ones share: what needs no percent-encoding has none.
pub fn normalize(uri: &mut Uri) {
    let Some(sent) = uri.path_and_query().map(PathAndQuery::as_str) else {
        return;
    };
    if !sent.contains('%') {
        return;
    }
    let decoded = PathAndQuery::try_from(decode_unreserved(sent));
    let mut parts = std::mem::take(uri).into_parts();
    // Letters, digits and the like in place of escapes leave a path a path.
    parts.path_and_query = decoded.ok().or(parts.path_and_query);
    *uri = Uri::from_parts(parts).unwrap_or_default();
}

/// Decodes what needs no percent-encoding. A text with an escape that is none stays as it is.
fn decode_unreserved(sent: &str) -> String {
    let mut decoded = String::with_capacity(sent.len());
    let mut rest = sent;
    while let Some((before, escaped)) = rest.split_once('%') {
        let Some(digits) = escaped.get(..2).filter(|it| is_hex(it)) else {
            return sent.to_owned();
        };
        decoded.push_str(before);
        match u8::from_str_radix(digits, 16) {
            Ok(byte) if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) => {
                decoded.push(char::from(byte));
            }
            _ => {
                decoded.push('%');
                decoded.push_str(digits);
            }
        }
        rest = &escaped[2..];
    }
    decoded.push_str(rest);
    decoded
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn status(version: Version, sent: &[(&'static str, &str)]) -> u16 {
        let mut request = Request::new(());
        *request.version_mut() = version;
        for (name, value) in sent {
            let value = HeaderValue::from_str(value).unwrap();
            request.headers_mut().append(*name, value);
        }
        check(&request).map_or_else(|problem| problem.status, |()| 200)
    }

    #[test]
    fn a_request_has_one_valid_host() {
        for host in [
            "localhost",
            "localhost:8080",
            "localhost:",
            "127.0.0.1:1",
            "[::1]:80",
            "a_b",
        ] {
            assert_eq!(status(Version::HTTP_11, &[("host", host)]), 200, "{host}");
        }
        for host in [
            "", " ", ":80", "a b", "a/b", "kim@a", "a:b", "a:65536", "a:+1", "a:1:2", "::1",
            "http://a", "a?b", "[zz]", "[]", "a[b]c", "[::1",
        ] {
            for version in [Version::HTTP_10, Version::HTTP_11] {
                assert_eq!(status(version, &[("host", host)]), 400, "{host}");
            }
        }
        for (version, expected) in [(Version::HTTP_10, 200), (Version::HTTP_11, 400)] {
            assert_eq!(status(version, &[]), expected);
            assert_eq!(status(version, &[("host", "a"), ("host", "a")]), 400);
        }
    }

    #[test]
    fn a_body_is_coded_by_chunks_alone() {
        let coded = |lines: &[&str]| {
            let lines = lines.iter().map(|line| ("transfer-encoding", *line));
            let sent: Vec<_> = std::iter::once(("host", "a")).chain(lines).collect();
            status(Version::HTTP_11, &sent)
        };
        assert_eq!(coded(&["chunked"]), 200);
        assert_eq!(coded(&["gzip, chunked"]), 501);
        assert_eq!(coded(&["gzip", "Chunked"]), 501);
        assert_eq!(coded(&["identity, chunked"]), 501);
        assert_eq!(coded(&["chunked, chunked"]), 400);
        assert_eq!(coded(&[", chunked ,"]), 200);
        assert_eq!(coded(&["x\u{e9}", "chunked"]), 501);
    }

    #[test]
    fn a_head_has_limits_and_what_gateways_set_does_not_count() {
        let many = |count: usize| {
            let mut sent = vec![("x-many", "1"); count];
            sent.push(("host", "a"));
            sent
        };
        assert_eq!(status(Version::HTTP_11, &many(100)), 200);
        assert_eq!(status(Version::HTTP_11, &many(101)), 431);
        let of_gateways = [
            ("x-forwarded-for", "192.0.2.1"),
            ("x-request-id", "1"),
            ("via", "1.1 innkeeper"),
            ("innkeeper-timeout-ms", "1000"),
            ("content-length", "0"),
        ];
        let passed_on = [&many(100)[..], &of_gateways].concat();
        assert_eq!(status(Version::HTTP_11, &passed_on), 200);
        let passed_on = [&many(101)[..], &of_gateways].concat();
        assert_eq!(status(Version::HTTP_11, &passed_on), 431);
        let long = "a".repeat(MAX_HEAD_BYTES);
        assert_eq!(
            status(Version::HTTP_11, &[("host", "a"), ("x-long", &long)]),
            431
        );
        let mut request = Request::new(());
        *request.uri_mut() = format!("/{}", "a".repeat(MAX_URI_BYTES)).parse().unwrap();
        assert_eq!(check(&request).unwrap_err().status, 414);
    }

    #[test]
    fn only_what_needs_no_escape_loses_it() {
        for (sent, expected) in [
            ("/my%7Erents", "/my~rents"),
            ("/%72ent%73/%31", "/rents/1"),
            ("/rents?s%69ze=%31", "/rents?size=1"),
            ("/a%2Fb%3f%25%20", "/a%2Fb%3f%25%20"),
            ("/%2541", "/%2541"),
            ("/%2e%2E/x", "/../x"),
            ("/100%", "/100%"),
            ("/%zz%4", "/%zz%4"),
            ("/%%341", "/%%341"),
            ("/plain", "/plain"),
        ] {
            let mut uri: Uri = sent.parse().unwrap();
            normalize(&mut uri);
            assert_eq!(uri.to_string(), expected);
        }
        let mut uri: Uri = "http://a:1/%41?%42".parse().unwrap();
        normalize(&mut uri);
        assert_eq!(uri.to_string(), "http://a:1/A?B");
    }
}

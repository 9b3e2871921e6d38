//! The headers of a request on its way through: hop-by-hop headers are removed (RFC 9110, 7.6.1),
//! and the gateway adds its own.

use axum::http::HeaderMap;
use axum::http::header::{
    CONNECTION, EXPECT, HOST, HeaderName, HeaderValue, TE, TRANSFER_ENCODING, UPGRADE, VIA,
};
use axum::http::request::Parts;
use innkeeper_contracts::pod::INTERNAL_HEADERS;
use innkeeper_runtime::edge::REQUEST_ID;
use innkeeper_runtime::request::Peer;

const KEEP_ALIVE: HeaderName = HeaderName::from_static("keep-alive");
const PROXY_CONNECTION: HeaderName = HeaderName::from_static("proxy-connection");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_HOST: HeaderName = HeaderName::from_static("x-forwarded-host");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");

/// The hop-by-hop headers that every intermediary must know.
const HOP_BY_HOP: [HeaderName; 5] = [KEEP_ALIVE, PROXY_CONNECTION, TE, TRANSFER_ENCODING, UPGRADE];

/// Removes the hop-by-hop headers, including those that `Connection` names.
pub fn remove_hop_by_hop(headers: &mut HeaderMap) {
    if headers.contains_key(CONNECTION) {
        let named: Vec<HeaderName> = headers
            .get_all(CONNECTION)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(','))
            .filter_map(|name| name.trim().parse().ok())
            .collect();
        for name in named {
            headers.remove(name);
        }
        headers.remove(CONNECTION);
    }
    for name in HOP_BY_HOP {
        headers.remove(name);
    }
}

/// Removes the headers that only services send.
fn remove_internal(headers: &mut HeaderMap) {
    let internal = headers
        .keys()
        .filter(|name| name.as_str().starts_with(INTERNAL_HEADERS));
    for name in internal.cloned().collect::<Vec<_>>() {
        headers.remove(name);
    }
}

/// Turns a client's headers into those of the request to the service, except for those of every
/// [call](innkeeper_runtime::callee).
pub fn prepare(parts: &mut Parts, request_id: &str) {
    let peer = parts.extensions.remove::<Peer>();
    let authority = parts
        .uri
        .authority()
        .map(axum::http::uri::Authority::as_str);
    let authority = authority.and_then(|host| HeaderValue::from_str(host).ok());
    let headers = &mut parts.headers;
    remove_hop_by_hop(headers);
    headers.remove(EXPECT);
    remove_internal(headers);

    let asked = headers.remove(HOST);
    if let Some(asked) = authority.or(asked) {
        headers.entry(FORWARDED_HOST).or_insert(asked);
    }
    headers
        .entry(FORWARDED_PROTO)
        .or_insert(HeaderValue::from_static("http"));
    if let Some(peer) = peer {
        headers.append(FORWARDED_FOR, peer.text);
    }
    headers.append(VIA, HeaderValue::from_static("1.1 innkeeper"));
    if let Ok(id) = HeaderValue::from_str(request_id) {
        headers.insert(REQUEST_ID, id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_headers_of_a_connection_stay_behind() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("connection", "close, X-Mine"),
            ("connection", "x-also"),
            ("x-mine", "1"),
            ("x-also", "1"),
            ("keep-alive", "timeout=5"),
            ("proxy-connection", "close"),
            ("te", "trailers"),
            ("transfer-encoding", "chunked"),
            ("upgrade", "websocket"),
            ("x-kept", "1"),
        ] {
            headers.append(name, HeaderValue::from_static(value));
        }
        remove_hop_by_hop(&mut headers);
        let left: Vec<_> = headers.keys().map(HeaderName::as_str).collect();
        assert_eq!(left, ["x-kept"]);
    }
}

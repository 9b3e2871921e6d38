//! Heads of requests over a real connection: what is refused before it is routed, and that all of
//! it is counted.

use std::net::SocketAddr;

use axum::Router;
use axum::http::Uri;
use axum::routing::get;
use innkeeper_contracts::settings::Cors;
use innkeeper_runtime::cors;
use innkeeper_runtime::edge;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::server::{Limits, Unrouted, serve};
use innkeeper_testkit::patience::{in_time, until};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A server that answers with the path and query that arrived.
async fn server(limits: Limits) -> (SocketAddr, Metrics) {
    let metrics = Metrics::new("rentcar", "pay");
    let say = async |uri: Uri| uri.to_string();
    let router = Router::new().route("/{*path}", get(say).post(say));
    let router = edge::around(router, metrics.clone());
    let unrouted = Unrouted {
        metrics: Some(metrics.clone()),
        cors: None,
    };
    let address = served(router, limits, unrouted).await;
    (address, metrics)
}

async fn served(router: Router, limits: Limits, unrouted: Unrouted) -> SocketAddr {
    let lifecycle = Lifecycle::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("the listener is bound");
    let serving = serve(listener.into(), router, lifecycle.clone(), limits, unrouted);
    lifecycle.spawn("server", serving);
    address
}

/// Sends these bytes and no more, and returns all that is answered.
async fn exchange(address: SocketAddr, sent: &[u8]) -> String {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    connection.write_all(sent).await.expect("it reads");
    connection.shutdown().await.expect("it is open");
    let mut answer = Vec::new();
    let read = in_time("an answer", connection.read_to_end(&mut answer)).await;
    read.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn heads_that_nobody_may_act_on_are_refused_with_a_problem_and_counted() {
    let (address, metrics) = server(Limits::default()).await;
    for (sent, status) in [
        ("GET /a HTTP/1.1\r\n\r\n", 400),
        ("GET /a HTTP/1.1\r\nhost: a\r\nHost: a\r\n\r\n", 400),
        ("GET /a HTTP/1.0\r\nhost: a b\r\n\r\n", 400),
        (
            "POST /a HTTP/1.1\r\nhost: a\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
            501,
        ),
    ] {
        let answer = exchange(address, sent.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}"))
                || answer.starts_with(&format!("HTTP/1.0 {status}")),
            "{sent} {answer}"
        );
        assert!(answer.contains("application/problem+json"), "{answer}");
        assert!(answer.contains("x-request-id: "), "{answer}");
    }
    let answer = exchange(address, b"GET /a HTTP/1.0\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.0 200"), "{answer}");
    let counted = |method: &str, status: u16, count: u32| {
        let series = format!(
            r#"innkeeper_http_requests_total{{method="{method}",platform="rentcar",route="none",service="pay",status="{status}"}} {count}"#
        );
        let text = metrics.render();
        assert!(text.contains(&series), "{series} {text}");
    };
    counted("GET", 400, 3);
    counted("POST", 501, 1);
}

#[tokio::test]
async fn a_script_of_another_site_may_read_why_its_request_was_refused() {
    let text = |text: &str| vec![text.to_owned()];
    let cors = cors::layer(&Cors {
        allow_origins: text("https://rentcar.example"),
        allow_methods: text("GET"),
        allow_headers: text("content-type"),
        expose_headers: text("etag"),
        allow_credentials: false,
        max_age_seconds: None,
    });
    let unrouted = Unrouted {
        metrics: None,
        cors: Some(cors),
    };
    let address = served(Router::new(), Limits::default(), unrouted).await;
    let long = "a".repeat(20_000);
    let many = "x-many: 1\r\n".repeat(101);
    for (path, headers, status) in [(long.as_str(), "", 414), ("a", &many, 431)] {
        let sent = |site: &str| {
            format!("GET /{path} HTTP/1.1\r\nhost: a\r\norigin: https://{site}\r\n{headers}\r\n")
        };
        let answer = exchange(address, sent("rentcar.example").as_bytes()).await;
        let begin = format!("HTTP/1.1 {status}");
        assert!(answer.starts_with(&begin), "{answer}");
        let allowed = "access-control-allow-origin: https://rentcar.example\r\n";
        assert!(answer.contains(allowed), "{answer}");
        let answer = exchange(address, sent("elsewhere.example").as_bytes()).await;
        assert!(answer.starts_with(&begin), "{answer}");
        assert!(!answer.contains("access-control-allow-origin"), "{answer}");
    }
}

#[tokio::test]
async fn what_the_http_library_refuses_is_counted_as_well() {
    let (address, metrics) = server(Limits::default()).await;
    let long = format!("GET /{} HTTP/1.1\r\nhost: a\r\n\r\n", "a".repeat(70_000));
    let many = "x-many: 1\r\n".repeat(200);
    let many = format!("GET /a HTTP/1.1\r\nhost: a\r\n{many}\r\n");
    for (sent, status) in [("nonsense\r\n\r\n", 400), (&long, 414), (&many, 431)] {
        let answer = exchange(address, sent.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status}")),
            "{answer}"
        );
        let series = format!(r#"route="none",service="pay",status="{status}"}} 1"#);
        let is_counted = async || {
            let text = metrics.render();
            text.contains(&series).then_some(()).ok_or(text)
        };
        until("it is counted", is_counted).await;
    }
}

#[tokio::test]
async fn a_path_arrives_in_the_spelling_that_equal_ones_share() {
    let (address, _) = server(Limits::default()).await;
    let sent = b"GET /my%7Erents/%31?si%7ae=%32&x=%26 HTTP/1.1\r\nhost: a\r\n\r\n";
    let answer = exchange(address, sent).await;
    assert!(answer.ends_with("/my~rents/1?size=2&x=%26"), "{answer}");
}

#[tokio::test]
async fn an_old_connection_is_closed_with_its_next_answer() {
    let limits = Limits {
        age: std::time::Duration::ZERO,
        ..Limits::default()
    };
    let (address, _) = server(limits).await;
    let twice = b"GET /a HTTP/1.1\r\nhost: a\r\n\r\nGET /b HTTP/1.1\r\nhost: a\r\n\r\n";
    let answer = exchange(address, twice).await;
    assert!(answer.contains("connection: close"), "{answer}");
    assert!(
        answer.ends_with("/a"),
        "the second request is for another connection"
    );
}

#[tokio::test]
async fn an_answer_without_a_body_has_no_length() {
    let unchanged = async || axum::http::StatusCode::NOT_MODIFIED;
    let router = Router::new().route("/a", get(unchanged));
    let address = served(router, Limits::default(), Unrouted::default()).await;
    for method in ["GET", "HEAD"] {
        let sent = format!("{method} /a HTTP/1.1\r\nhost: a\r\n\r\n");
        let answer = exchange(address, sent.as_bytes()).await;
        assert!(answer.starts_with("HTTP/1.1 304"), "{answer}");
        assert!(!answer.contains("content-length"), "{answer}");
    }
}

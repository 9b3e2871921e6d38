//! The gateway between real sockets.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get, post};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use innkeeper_contracts::settings;
use innkeeper_gateway::router;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::edge;
use innkeeper_runtime::json::JsonBody;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::neighbours::{Neighbour, Neighbours};
use innkeeper_runtime::problem::{MEDIA_TYPE, Problem};
use innkeeper_runtime::server::{Limits, Unrouted, serve};
use innkeeper_testkit::patience::{PATIENCE, in_time, until};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A gateway and the services behind it, on ports of their own.
struct Platform {
    client: Client,
    gateway: SocketAddr,
    metrics: Metrics,
    lifecycle: Lifecycle,
}

impl Drop for Platform {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

impl Platform {
    /// A gateway with one service `pay` at `/pays`.
    async fn with_pay(pay: Router) -> Self {
        let lifecycle = Lifecycle::new();
        let address = served(pay, &lifecycle).await;
        Self::in_front_of(address, lifecycle, 5_000).await
    }

    /// The same twice: with a connection between gateway and service, and within one process.
    async fn both_with_pay(pay: Router) -> [Self; 2] {
        [
            Self::with_pay(pay.clone()).await,
            Self::beside_pay(pay, 5_000).await,
        ]
    }

    /// A gateway that calls its service in process. The service accepts no connection.
    async fn beside_pay(pay: Router, timeout_ms: u64) -> Self {
        let lifecycle = Lifecycle::new();
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let neighbours = Neighbours::default();
        let neighbour = Neighbour::new(pay, lifecycle.clone(), PATIENCE);
        let joined = neighbours.join(address, neighbour);
        let stopping = lifecycle.stopping();
        lifecycle.spawn("pay", async move {
            stopping.cancelled().await;
            drop((listener, joined));
        });
        let client = Client::among(neighbours);
        Self::start(&client, address, lifecycle, timeout_ms).await
    }

    async fn in_front_of(pay: SocketAddr, lifecycle: Lifecycle, timeout_ms: u64) -> Self {
        Self::start(&Client::new(), pay, lifecycle, timeout_ms).await
    }

    async fn start(
        client: &Client,
        pay: SocketAddr,
        lifecycle: Lifecycle,
        timeout_ms: u64,
    ) -> Self {
        let settings = settings::Gateway {
            routes: vec![settings::Route {
                service: "pay".into(),
                paths: vec!["/pays".into(), "/payments".into()],
                address: format!("http://{pay}"),
                timeout_ms,
            }],
            cors: None,
        };
        let metrics = Metrics::new("rentcar", "gateway");
        let routes = router(&settings, client, &metrics).expect("the address is well formed");
        let gateway = served(edge::around(routes, metrics.clone()), &lifecycle).await;
        Self {
            client: Client::new(),
            gateway,
            metrics,
            lifecycle,
        }
    }

    fn request(&self, method: Method, path: &str) -> axum::http::request::Builder {
        Request::builder()
            .method(method)
            .uri(format!("http://{}{path}", self.gateway))
    }

    async fn send(&self, request: axum::http::Request<Body>) -> Response<Bytes> {
        let answered = in_time("the gateway answers", self.client.send(request)).await;
        let (parts, body) = answered.expect("the gateway answers").into_parts();
        let body = in_time("the answer is complete", body.collect()).await;
        Response::from_parts(parts, body.expect("the answer is complete").to_bytes())
    }

    async fn get(&self, path: &str) -> Response<Bytes> {
        let request = self.request(Method::GET, path).body(Body::empty());
        self.send(request.expect("the request is well formed"))
            .await
    }
}

async fn served(router: Router, lifecycle: &Lifecycle) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let serving = serve(
        listener.into(),
        router,
        lifecycle.clone(),
        Limits::default(),
        Unrouted::default(),
    );
    lifecycle.spawn("server", serving);
    address
}

/// A service that is no HTTP server: it reads what comes, counts the connections, answers with
/// these bytes, and closes.
async fn raw(answer: &'static [u8], lifecycle: &Lifecycle) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let count = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&count);
    lifecycle.spawn("raw", async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            counted.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer).await;
        }
    });
    (address, count)
}

/// Answers with what arrived.
async fn echo(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = axum::body::to_bytes(body, usize::MAX)
        .await
        .expect("the body arrives");
    let headers: serde_json::Map<String, Value> = parts
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), json!(value.to_str().expect("it is text"))))
        .collect();
    axum::Json(json!({
        "method": parts.method.as_str(),
        "uri": parts.uri.to_string(),
        "headers": headers,
        "body": String::from_utf8_lossy(&body),
    }))
}

fn json_of(response: &Response<Bytes>) -> Value {
    serde_json::from_slice(response.body()).expect("the body is JSON")
}

fn problem_of(response: &Response<Bytes>) -> Problem {
    assert_eq!(response.headers()["content-type"], MEDIA_TYPE);
    let problem: Problem = serde_json::from_slice(response.body()).expect("the body is a problem");
    assert_eq!(problem.status, response.status().as_u16());
    problem
}

#[tokio::test]
async fn a_request_arrives_with_method_path_query_and_body() {
    for platform in Platform::both_with_pay(Router::new().fallback(echo)).await {
        let request = platform
            .request(Method::PATCH, "/pays/1?a=b%20c")
            .body(Body::from("{}"))
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let arrived = json_of(&response);
        assert_eq!(arrived["method"], "PATCH");
        assert_eq!(arrived["uri"], "/pays/1?a=b%20c");
        assert_eq!(arrived["body"], "{}");
    }
}

#[tokio::test]
async fn an_alias_reaches_the_same_service() {
    let platform = Platform::with_pay(Router::new().fallback(echo)).await;
    assert_eq!(platform.get("/payments").await.status(), StatusCode::OK);
}

#[tokio::test]
async fn identity_trace_and_deadline_are_added() {
    for platform in Platform::both_with_pay(Router::new().fallback(echo)).await {
        let request = platform
            .request(Method::GET, "/pays")
            .header("host", "rentcar.example")
            .header("x-forwarded-for", "192.0.2.1")
            .header("x-request-id", "mine")
            .header(
                "traceparent",
                "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            )
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.headers()["x-request-id"], "mine");
        let headers = &json_of(&response)["headers"];
        assert_eq!(headers["x-forwarded-host"], "rentcar.example");
        assert_eq!(headers["x-forwarded-proto"], "http");
        assert_eq!(headers["x-forwarded-for"], "127.0.0.1");
        assert_eq!(headers["x-request-id"], "mine");
        assert_eq!(headers["via"], "1.1 innkeeper");
        let trace = headers["traceparent"].as_str().unwrap();
        assert!(trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
        assert!(!trace.contains("00f067aa0ba902b7"));
        assert_eq!(headers["innkeeper-timeout-ms"], "5000");
    }
}

#[tokio::test]
async fn the_addresses_on_the_way_are_all_kept() {
    let all = async |headers: HeaderMap| {
        let all: Vec<_> = headers.get_all("x-forwarded-for").iter().collect();
        format!("{all:?}")
    };
    for platform in Platform::both_with_pay(Router::new().route("/pays", get(all))).await {
        let request = platform
            .request(Method::GET, "/pays")
            .header("x-forwarded-for", "192.0.2.1")
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.body(), r#"["192.0.2.1", "127.0.0.1"]"#);
    }
}

#[tokio::test]
async fn the_headers_of_a_connection_stay_behind_both_ways() {
    let pay = async |headers: HeaderMap| {
        let arrived = headers.contains_key("x-mine").to_string();
        let own = [
            ("connection", "x-own"),
            ("x-own", "1"),
            ("keep-alive", "1"),
            ("x-kept", "1"),
        ];
        (own, arrived)
    };
    for platform in Platform::both_with_pay(Router::new().route("/pays", get(pay))).await {
        let request = platform
            .request(Method::GET, "/pays")
            .header("connection", "x-mine")
            .header("x-mine", "1")
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.body(), "false");
        assert!(!response.headers().contains_key("x-own"));
        assert!(!response.headers().contains_key("keep-alive"));
        assert!(response.headers().contains_key("x-kept"));
    }
}

#[tokio::test]
async fn nobody_chooses_the_saga_of_a_request_from_outside() {
    for platform in Platform::both_with_pay(Router::new().fallback(echo)).await {
        let request = platform
            .request(Method::GET, "/pays")
            .header("innkeeper-correlation-id", "0190")
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert!(
            json_of(&response)["headers"]
                .get("innkeeper-correlation-id")
                .is_none()
        );
    }
}

#[tokio::test]
async fn a_service_that_is_away_is_503_with_retry_after() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let closed = listener.local_addr().unwrap();
    drop(listener);
    let platform = Platform::in_front_of(closed, Lifecycle::new(), 5_000).await;
    let response = platform.get("/pays").await;
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
    assert_eq!(problem_of(&response).service.as_deref(), Some("pay"));
}

#[tokio::test]
async fn a_service_that_is_slow_is_504() {
    let lifecycle = Lifecycle::new();
    let pay = Router::new().route("/pays", get(std::future::pending::<()>));
    let address = served(pay.clone(), &lifecycle).await;
    for platform in [
        Platform::in_front_of(address, lifecycle, 50).await,
        Platform::beside_pay(pay, 50).await,
    ] {
        let response = platform.get("/pays").await;
        assert_eq!(response.status(), StatusCode::GATEWAY_TIMEOUT);
        assert_eq!(problem_of(&response).service.as_deref(), Some("pay"));
    }
}

#[tokio::test]
async fn what_only_services_say_is_not_believed_of_a_client() {
    for platform in Platform::both_with_pay(Router::new().fallback(echo)).await {
        let request = platform
            .request(Method::GET, "/pays")
            .header("innkeeper-timeout-ms", "0")
            .header("innkeeper-principal", "kim")
            .header("innkeeper-anything", "1")
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        let arrived = json_of(&response);
        let names = arrived["headers"].as_object().unwrap().keys();
        let internal: Vec<_> = names
            .filter(|name| name.starts_with("innkeeper-"))
            .collect();
        assert_eq!(
            internal,
            ["innkeeper-timeout-ms"],
            "and that is the gateway's own"
        );
        assert_ne!(arrived["headers"]["innkeeper-timeout-ms"], "0");
    }
}

/// Sends these bytes, and returns the beginning of the answer.
async fn first_line(address: SocketAddr, sent: &str) -> String {
    let mut connection = TcpStream::connect(address).await.expect("it listens");
    let sent = connection.write_all(sent.as_bytes()).await;
    sent.expect("it reads");
    let mut answer = [0; 12];
    let read = in_time("an answer", connection.read_exact(&mut answer)).await;
    read.expect("it answers");
    String::from_utf8_lossy(&answer).into_owned()
}

#[tokio::test]
async fn a_body_that_comes_too_slowly_is_408_whatever_its_framing() {
    let platform = Platform::with_pay(Router::new().fallback(echo)).await;
    let head = "POST /pays HTTP/1.1\r\nhost: a\r\n";
    let small = format!("{head}content-length: 9\r\n\r\nhalf");
    let large = format!("{head}content-length: 99999\r\n\r\nhalf");
    let chunked = format!("{head}transfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n");
    let answers = [&small, &large, &chunked].map(|sent| first_line(platform.gateway, sent));
    let answers = futures::future::join_all(answers).await;
    assert_eq!(answers, ["HTTP/1.1 408"; 3]);
    let counted =
        r#"method="POST",platform="rentcar",route="/pays",service="gateway",status="408"} 3"#;
    assert!(platform.metrics.render().contains(counted));
}

#[tokio::test]
async fn a_gateway_takes_as_many_headers_as_its_services() {
    let lifecycle = Lifecycle::new();
    let pay = served(Router::new().fallback(echo), &lifecycle).await;
    let platform = Platform::in_front_of(pay, lifecycle, 1_000).await;
    for (count, expected) in (1..=101)
        .map(|count| (count, 200))
        .chain([(102, 431), (128, 431)])
    {
        let headers = "x-many: 1\r\n".repeat(count - 1);
        let sent = format!("GET /pays HTTP/1.1\r\nhost: a\r\n{headers}\r\n");
        for address in [pay, platform.gateway] {
            let answer = first_line(address, &sent).await;
            assert_eq!(answer, format!("HTTP/1.1 {expected}"), "{count} headers");
        }
    }
}

#[tokio::test]
async fn a_gateway_takes_what_is_as_long_as_its_services_take() {
    let lifecycle = Lifecycle::new();
    let edge = edge::around(
        Router::new().route("/pays/{*rest}", post(async |_: Bytes| "pays")),
        Metrics::new("rentcar", "pay"),
    );
    let pay = served(edge, &lifecycle).await;
    let platform = Platform::in_front_of(pay, lifecycle, 5_000).await;
    let path = |bytes: usize| format!("/pays/{}", "a".repeat(bytes - "/pays/".len()));
    let head = |path: &str, more: &str| format!("POST {path} HTTP/1.1\r\nhost: a\r\n{more}\r\n");
    let value = |bytes: usize| format!("x-long: {}\r\n", "a".repeat(bytes - "x-long".len()));
    let whole = |bytes: usize| format!("content-length: {bytes}\r\n");
    let chunked = "transfer-encoding: chunked\r\n";
    let chunks = |bytes: usize| format!("{bytes:x}\r\n{}\r\n0\r\n\r\n", "a".repeat(bytes));
    for more in 0..=1 {
        let (uri, headers, body) = (16 * 1024 + more, 64 * 1024 + more, 1024 * 1024 + more);
        for (sent, refused) in [
            (head(&path(uri), ""), 414),
            (head("/pays/1", &value(headers)), 431),
            (head("/pays/1", &whole(body)) + &"a".repeat(body), 413),
            (head("/pays/1", chunked) + &chunks(body), 413),
        ] {
            let expected = if more == 0 { 200 } else { refused };
            for address in [pay, platform.gateway] {
                let answer = first_line(address, &sent).await;
                assert_eq!(answer, format!("HTTP/1.1 {expected}"), "{}", &sent[..40]);
            }
        }
    }
}

#[tokio::test]
async fn large_bodies_leave_room_for_small_ones_and_too_many_are_refused() {
    let platform = Platform::with_pay(Router::new().fallback(echo)).await;
    let head = "POST /pays HTTP/1.1\r\nhost: a\r\ncontent-length: 999999\r\n\r\n";
    let large = format!("{head}{}", "a".repeat(100_000));
    let mut waiting = Vec::new();
    for _ in 0..64 {
        let mut connection = TcpStream::connect(platform.gateway)
            .await
            .expect("it listens");
        connection
            .write_all(large.as_bytes())
            .await
            .expect("it reads");
        waiting.push(connection);
    }
    let refused = async || {
        let answer = first_line(platform.gateway, &large).await;
        (answer == "HTTP/1.1 503").then_some(()).ok_or(answer)
    };
    until("one too many is refused", refused).await;
    let chunked = "POST /pays HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n4\r\nhalf\r\n0\r\n\r\n";
    assert_eq!(first_line(platform.gateway, chunked).await, "HTTP/1.1 200");
    drop(waiting);
}

#[tokio::test]
async fn equal_paths_lead_to_the_same_service() {
    for platform in Platform::both_with_pay(Router::new().fallback(echo)).await {
        let response = platform.get("/p%61ys/%31?s%69ze=%32&a=%2F").await;
        assert_eq!(json_of(&response)["uri"], "/pays/1?size=2&a=%2F");
        assert_eq!(
            platform.get("/pays%2F1").await.status(),
            StatusCode::NOT_FOUND
        );
        assert_eq!(
            platform.get("/pays/%2E%2e/pays").await.status(),
            StatusCode::NOT_FOUND
        );
    }
}

#[tokio::test]
async fn a_service_that_breaks_off_is_502_and_is_asked_once() {
    for answer in [
        &b""[..],
        b"nonsense\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
    ] {
        let lifecycle = Lifecycle::new();
        let (address, count) = raw(answer, &lifecycle).await;
        let platform = Platform::in_front_of(address, lifecycle, 5_000).await;
        let response = platform.get("/pays").await;
        assert_eq!(response.status(), StatusCode::BAD_GATEWAY);
        assert_eq!(problem_of(&response).service.as_deref(), Some("pay"));
        assert_eq!(count.load(Ordering::SeqCst), 1);
    }
}

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let platform = Platform::with_pay(Router::new().fallback(echo)).await;
    for path in [
        "/nowhere",
        "/payslips",
        "/_innkeeper/authorize",
        "/pays/../_innkeeper",
    ] {
        let response = platform.get(path).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND, "{path}");
        problem_of(&response);
    }
}

#[tokio::test]
async fn the_root_lists_the_resources() {
    let platform = Platform::with_pay(Router::new()).await;
    let response = platform.get("/").await;
    assert_eq!(response.headers()["content-type"], "application/hal+json");
    let links = json!({ "_links": { "self": { "href": "/" }, "pays": { "href": "/pays" } } });
    assert_eq!(json_of(&response), links);
}

#[tokio::test]
async fn the_root_can_only_be_read() {
    let platform = Platform::with_pay(Router::new()).await;
    let request = platform
        .request(Method::POST, "/")
        .body(Body::empty())
        .unwrap();
    let response = platform.send(request).await;
    assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
    problem_of(&response);
    let refused = platform.get("/?page=1").await;
    assert_eq!(refused.status(), StatusCode::UNPROCESSABLE_ENTITY);
    let tag = platform.get("/").await.headers()["etag"].clone();
    let request = platform.request(Method::GET, "/");
    let request = request.header("if-none-match", tag);
    let known = platform.send(request.body(Body::empty()).unwrap()).await;
    assert_eq!(known.status(), StatusCode::NOT_MODIFIED);
    let request = platform
        .request(Method::OPTIONS, "/")
        .body(Body::empty())
        .unwrap();
    let response = platform.send(request).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["allow"], "GET,HEAD");
}

#[tokio::test]
async fn a_refusal_of_a_service_is_passed_on_as_it_is() {
    let refuse = async || (StatusCode::NOT_FOUND, "not here");
    for platform in Platform::both_with_pay(Router::new().route("/pays", get(refuse))).await {
        let response = platform.get("/pays").await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        assert_eq!(response.body(), "not here");
    }
}

#[tokio::test]
async fn head_says_how_long_the_body_would_be() {
    for platform in Platform::both_with_pay(Router::new().route("/pays", get("12345"))).await {
        let request = platform
            .request(Method::HEAD, "/pays")
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert_eq!(response.headers()["content-length"], "5");
        assert!(response.body().is_empty());
    }
}

#[tokio::test]
async fn a_service_answers_what_may_be_done_with_its_path() {
    let pay = Router::new().route("/pays", get("").post(""));
    let pay = edge::around(pay, Metrics::new("rentcar", "pay"));
    for platform in Platform::both_with_pay(pay).await {
        let request = platform
            .request(Method::OPTIONS, "/pays")
            .body(Body::empty())
            .unwrap();
        let response = platform.send(request).await;
        assert_eq!(response.status(), StatusCode::NO_CONTENT);
        assert_eq!(response.headers()["allow"], "GET,HEAD,POST");
    }
}

/// A body of unknown length.
fn pieces(count: usize) -> Body {
    let piece = || Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'x'; 65_536])));
    let pieces = (0..count).map(move |_| piece());
    Body::new(StreamBody::new(futures::stream::iter(pieces)))
}

#[tokio::test]
async fn bodies_of_unknown_length_pass_both_ways() {
    let length = async |body: Bytes| body.len().to_string();
    let pay = Router::new()
        .route("/pays", post(length))
        .route("/pays/all", any(async || pieces(48)));
    for platform in Platform::both_with_pay(pay).await {
        let request = platform
            .request(Method::POST, "/pays")
            .body(pieces(8))
            .unwrap();
        assert_eq!(platform.send(request).await.body(), "524288");
        assert_eq!(platform.get("/pays/all").await.body().len(), 48 * 65_536);
    }
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_whether_it_says_so_or_not() {
    let read = async |body: JsonBody<Value>| body.0.to_string();
    let pay = Router::new().route("/pays", post(read));
    let pay = edge::around(pay, Metrics::new("rentcar", "pay"));
    for platform in Platform::both_with_pay(pay).await {
        for body in [pieces(17), Body::from(vec![b'x'; edge::MAX_BODY_BYTES + 1])] {
            let request = platform.request(Method::POST, "/pays").body(body).unwrap();
            let response = platform.send(request).await;
            assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE);
            problem_of(&response);
        }
    }
}

#[tokio::test]
async fn requests_are_counted_by_the_path_of_their_service_from_the_start() {
    for platform in Platform::both_with_pay(Router::new().fallback(echo)).await {
        let series = |status: u16, count: u32| {
            format!(
                r#"innkeeper_http_requests_total{{method="GET",platform="rentcar",route="/pays",service="gateway",status="{status}"}} {count}"#
            )
        };
        assert!(platform.metrics.render().contains(&series(503, 0)));
        platform.get("/pays/1").await;
        assert!(platform.metrics.render().contains(&series(200, 1)));
    }
}

#[test]
fn an_address_that_is_not_http_is_refused() {
    for address in ["", "pay", "https://pay:8080", "/pay", "http://"] {
        let settings = settings::Gateway {
            routes: vec![settings::Route {
                service: "pay".into(),
                paths: vec!["/pays".into()],
                address: address.into(),
                timeout_ms: 1,
            }],
            cors: None,
        };
        let metrics = Metrics::new("rentcar", "gateway");
        assert!(
            router(&settings, &Client::new(), &metrics).is_err(),
            "{address}"
        );
    }
}

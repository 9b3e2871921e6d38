//! Calls to a service over a connection and in process: the same answers, the same failures.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Path, Request};
use axum::http::header::DATE;
use axum::http::{Method, Response, StatusCode};
use axum::response::IntoResponse;
use axum::routing::{any, get};
use futures::{StreamExt, stream};
use http_body_util::BodyExt;
use innkeeper_kit::Principal;
use innkeeper_runtime::callee::{CallContext, Callee};
use innkeeper_runtime::client::{CallError, Client};
use innkeeper_runtime::edge;
use innkeeper_runtime::json::is_limit;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::neighbours::{Neighbour, Neighbours};
use innkeeper_runtime::problem::causes;
use innkeeper_runtime::request::{Peer, RequestContext};
use innkeeper_runtime::server::{Limits, Unrouted, serve};
use innkeeper_testkit::patience::{PATIENCE, in_time, until};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use uuid::Uuid;

const TRACE: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The largest answer that a call reads.
const MAX_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A service, and two handles of it: one that connects, and one that finds it in this process.
struct Service {
    address: SocketAddr,
    lifecycle: Lifecycle,
    metrics: Metrics,
    neighbours: Neighbours,
    wire: Callee,
    here: Callee,
    listener: Option<TcpListener>,
}

impl Service {
    /// A service that is bound to its address and has not started.
    async fn bound() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .expect("a port is free");
        let address = listener.local_addr().expect("the listener is bound");
        let neighbours = Neighbours::default();
        Self {
            lifecycle: Lifecycle::new(),
            metrics: Metrics::new("rentcar", "pay"),
            wire: callee(&Client::new(), address),
            here: callee(&Client::among(neighbours.clone()), address),
            address,
            neighbours,
            listener: Some(listener),
        }
    }

    async fn running(router: Router) -> Self {
        let mut service = Self::bound().await;
        service.start(router, PATIENCE);
        service
    }

    /// Starts it as a host does.
    fn start(&mut self, router: Router, drain_within: Duration) {
        let router = edge::around(router, self.metrics.clone());
        let lifecycle = self.lifecycle.clone();
        let limits = Limits {
            drain_within,
            ..Limits::default()
        };
        let neighbour = Neighbour::new(router.clone(), lifecycle.clone(), drain_within);
        let joined = self.neighbours.join(self.address, neighbour);
        let listener = self.listener.take().expect("it starts once");
        let serving = serve(
            listener.into(),
            router,
            lifecycle,
            limits,
            Unrouted::default(),
        );
        self.lifecycle.spawn("server", async move {
            serving.await;
            drop(joined);
        });
    }

    fn handles(&self) -> [&Callee; 2] {
        [&self.wire, &self.here]
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.lifecycle.stop();
    }
}

fn callee(client: &Client, address: SocketAddr) -> Callee {
    let address = format!("http://{address}");
    Callee::new(client, "pay", &address, PATIENCE).expect("the address is well formed")
}

fn request(method: Method, path: &str, body: impl Into<Body>) -> Request {
    let request = Request::builder().method(method).uri(path);
    request
        .header("x-request-id", "kims")
        .body(body.into())
        .expect("the request is well formed")
}

async fn called(callee: &Callee, path: &str) -> Result<Response<Bytes>, CallError> {
    let request = request(Method::GET, path, Body::empty());
    callee.call(request, CallContext::default()).await
}

/// How long the callers of these tests can wait for what never comes.
fn in_a_hurry() -> CallContext {
    CallContext {
        remaining: Some(Duration::from_millis(50)),
        ..CallContext::default()
    }
}

/// A handler that reports when it is reached and when it ended, and answers when it is let.
#[derive(Clone)]
struct Gate(Arc<[Semaphore; 3]>);

impl Gate {
    fn new() -> Self {
        Self(Arc::new([0; 3].map(Semaphore::new)))
    }

    fn router(&self) -> Router {
        let gate = self.clone();
        Router::new().route("/", get(async move || gate.passed().await))
    }

    async fn passed(&self) -> &'static str {
        struct Ended<'a>(&'a Semaphore);
        impl Drop for Ended<'_> {
            fn drop(&mut self) {
                self.0.add_permits(1);
            }
        }
        let [reached, open, ended] = &*self.0;
        let _ended = Ended(ended);
        reached.add_permits(1);
        open.acquire().await.expect("the gate stays").forget();
        "done"
    }

    async fn reached(&self) {
        let reached = in_time("the handler is reached", self.0[0].acquire()).await;
        reached.expect("the gate stays").forget();
    }

    fn open(&self) {
        self.0[1].add_permits(1);
    }

    async fn ended(&self) {
        let ended = in_time("the handler ends", self.0[2].acquire()).await;
        ended.expect("the gate stays").forget();
    }
}

#[derive(Clone)]
struct OfTheCaller;

/// Answers with everything that arrived.
async fn echo(request: Request) -> impl IntoResponse {
    let (parts, body) = request.into_parts();
    let body = body.collect().await.expect("the body arrives").to_bytes();
    let headers: Vec<_> = parts
        .headers
        .iter()
        .map(|(name, value)| format!("{name}: {}", value.to_str().expect("it is text")))
        .collect();
    let context = parts.extensions.get::<RequestContext>();
    let context = context.expect("the edge has added it");
    axum::Json(json!({
        "line": format!("{} {} {:?}", parts.method, parts.uri, parts.version),
        "headers": std::collections::BTreeSet::from_iter(headers),
        "body": String::from_utf8_lossy(&body),
        "peer": parts.extensions.get::<Peer>().expect("a peer").address.to_string(),
        "id": context.request_id,
        "deadline": context.deadline.is_some(),
        "caller": parts.extensions.get::<OfTheCaller>().is_some(),
    }))
}

#[expect(clippy::panic, reason = "the edge is to catch it")]
async fn panics() {
    panic!("on purpose");
}

fn routes() -> Router {
    Router::new()
        .route("/echo", any(echo))
        .route(
            "/pays/{id}",
            get(async |Path(id): Path<u32>| id.to_string()),
        )
        .route("/panics", get(panics))
        .route("/refuses", get((StatusCode::CONFLICT, "not now")))
        .route("/text", get("12345").post(""))
        .route("/same", get(StatusCode::NOT_MODIFIED))
}

#[tokio::test]
async fn requests_and_answers_are_the_same_over_a_connection_and_in_process() {
    let service = Service::running(routes()).await;
    for (method, path, body, status) in [
        (Method::GET, "/echo?a=b%20c", "", 200),
        (Method::POST, "/echo", "{}", 200),
        (Method::PUT, "/echo", "", 200),
        (Method::GET, "/pays/7", "", 200),
        (Method::GET, "/pays/x", "", 400),
        (Method::GET, "/panics", "", 500),
        (Method::GET, "/refuses", "", 409),
        (Method::GET, "/nowhere", "", 404),
        (Method::HEAD, "/nowhere", "", 404),
        (Method::HEAD, "/text", "", 200),
        (Method::DELETE, "/text", "", 405),
        (Method::OPTIONS, "/text", "", 204),
        (Method::POST, "/text", "", 200),
        (Method::GET, "/same", "", 304),
    ] {
        let mut answers = Vec::new();
        for callee in service.handles() {
            let mut request = request(method.clone(), path, body);
            request.extensions_mut().insert(OfTheCaller);
            let mut context = RequestContext::of(request.headers());
            context.request_id = "the caller's own".into();
            request.extensions_mut().insert(context);
            let context = CallContext {
                traceparent: Some(TRACE.into()),
                saga: Some(Uuid::nil()),
                ..CallContext::default()
            };
            let mut answer = callee.call(request, context).await.unwrap();
            answer.headers_mut().remove(DATE);
            answers.push(answer);
        }
        let [wire, here] = &answers[..] else {
            unreachable!("there are two handles");
        };
        assert_eq!(wire.status(), status, "{method} {path}");
        assert_eq!(here.status(), status, "{method} {path}");
        assert_eq!(wire.headers(), here.headers(), "{method} {path}");
        assert_eq!(wire.body(), here.body(), "{method} {path}");
    }
}

#[tokio::test]
async fn a_call_tells_its_trace_its_saga_and_how_long_it_can_wait() {
    let service = Service::running(routes()).await;
    for callee in service.handles() {
        let context = CallContext {
            traceparent: Some(TRACE.into()),
            saga: Some(Uuid::nil()),
            principal: Some(Principal::parse("kim")),
            remaining: Some(Duration::from_secs(7)),
        };
        let request = request(Method::GET, "/echo", Body::empty());
        let answer = callee.call(request, context).await.unwrap();
        let arrived: Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!(
            arrived["headers"],
            json!([
                format!("host: {}", service.address),
                "innkeeper-correlation-id: 00000000-0000-0000-0000-000000000000",
                "innkeeper-principal: kim",
                "innkeeper-timeout-ms: 7000",
                format!("traceparent: {TRACE}"),
                "x-request-id: kims",
            ])
        );
        assert_eq!(
            (&arrived["id"], &arrived["deadline"]),
            (&json!("kims"), &json!(true))
        );
    }
    let answer = called(&service.here, "/echo").await.unwrap();
    let text = String::from_utf8(answer.body().to_vec()).unwrap();
    assert!(text.contains("innkeeper-timeout-ms: 40000"), "{text}");
    assert!(
        !text.contains("traceparent") && !text.contains("correlation"),
        "{text}"
    );
}

#[tokio::test]
async fn a_call_in_process_needs_no_connection_and_is_counted_at_the_edge() {
    let service = Service::bound().await;
    let router = edge::around(routes(), service.metrics.clone());
    let neighbour = Neighbour::new(router, service.lifecycle.clone(), PATIENCE);
    let _joined = service.neighbours.join(service.address, neighbour);

    assert_eq!(called(&service.here, "/pays/7").await.unwrap().body(), "7");

    let counted = r#"innkeeper_http_requests_total{method="GET",platform="rentcar",route="/pays/{id}",service="pay",status="200"} 1"#;
    assert!(service.metrics.render().contains(counted));
    let request = request(Method::GET, "/pays/7", Body::empty());
    let over_connection = service.wire.call(request, in_a_hurry()).await;
    assert!(matches!(over_connection, Err(CallError::Deadline)));
}

#[tokio::test]
async fn a_call_ends_in_time_and_so_does_its_handler() {
    let gate = Gate::new();
    let service = Service::running(gate.router()).await;
    for callee in service.handles() {
        let request = request(Method::GET, "/", Body::empty());
        let late = callee.call(request, in_a_hurry()).await;
        assert!(matches!(late, Err(CallError::Deadline)), "{late:?}");
        gate.reached().await;
        gate.ended().await;
    }
}

#[tokio::test]
async fn the_timeout_holds_until_the_answer_is_complete() {
    let stuck = async || {
        let pieces = stream::iter([Ok::<_, Infallible>("piece")]).chain(stream::pending());
        Body::from_stream(pieces)
    };
    let service = Service::running(Router::new().route("/", get(stuck))).await;
    for callee in service.handles() {
        let request = request(Method::GET, "/", Body::empty());
        let late = callee.call(request, in_a_hurry()).await;
        assert!(matches!(late, Err(CallError::Deadline)), "{late:?}");
    }
}

#[tokio::test]
async fn what_is_not_there_is_refused() {
    let mut service = Service::bound().await;
    service.listener = None;
    for callee in service.handles() {
        let refused = called(callee, "/pays/7").await;
        assert!(matches!(refused, Err(CallError::Connect(_))), "{refused:?}");
    }
}

#[tokio::test]
async fn a_service_that_stopped_is_refused_while_it_finishes_what_it_has_begun() {
    let gate = Gate::new();
    let service = Service::running(gate.router()).await;
    let finished = async {
        gate.reached().await;
        service.lifecycle.stop();
        for callee in service.handles() {
            until("no more calls are taken", async || {
                match called(callee, "/nowhere").await {
                    Err(CallError::Connect(_)) => Ok(()),
                    other => Err(format!("{other:?}")),
                }
            })
            .await;
        }
        assert!(!service.lifecycle.drain(Duration::from_millis(50)).await);
        gate.open();
        assert!(service.lifecycle.drain(PATIENCE).await);
    };
    let (answer, ()) = tokio::join!(called(&service.here, "/"), finished);
    assert_eq!(answer.unwrap().body(), "done");
}

#[tokio::test]
async fn a_service_that_only_leaves_still_serves() {
    let service = Service::running(routes()).await;
    service.lifecycle.leave();
    for callee in service.handles() {
        assert_eq!(called(callee, "/pays/7").await.unwrap().body(), "7");
    }
}

#[tokio::test]
async fn a_call_that_does_not_finish_before_the_shutdown_is_reset() {
    for way in 0..2 {
        let gate = Gate::new();
        let mut service = Service::bound().await;
        service.start(gate.router(), Duration::from_millis(20));
        let cut_off = async {
            gate.reached().await;
            service.lifecycle.stop();
            gate.ended().await;
            assert!(service.lifecycle.drain(PATIENCE).await);
        };
        let (answer, ()) = tokio::join!(called(service.handles()[way], "/"), cut_off);
        assert!(matches!(answer, Err(CallError::Reset(_))), "{answer:?}");
    }
}

/// An answer that never ends.
fn endless() -> Router {
    let pieces = || stream::pending::<Result<Bytes, Infallible>>();
    Router::new().route("/", get(async move || Body::from_stream(pieces())))
}

#[tokio::test]
async fn an_answer_that_is_read_for_too_long_is_cut_off_by_the_shutdown() {
    for way in 0..2 {
        let mut service = Service::bound().await;
        service.start(endless(), Duration::from_millis(20));
        let request = request(Method::GET, "/", Body::empty());
        let callee = service.handles()[way];
        let answer = callee.send(request, CallContext::default()).await;
        let body = answer.unwrap().into_body();
        service.lifecycle.stop();
        let read = in_time("the body is cut off", body.collect()).await;
        assert!(read.is_err());
    }
}

#[tokio::test]
async fn a_shutdown_waits_for_an_answer_that_is_still_read() {
    for way in 0..2 {
        let service = Service::running(endless()).await;
        let request = request(Method::GET, "/", Body::empty());
        let callee = service.handles()[way];
        let answer = callee.send(request, CallContext::default()).await;
        service.lifecycle.stop();
        assert!(!service.lifecycle.drain(Duration::from_millis(50)).await);
        drop(answer);
        assert!(service.lifecycle.drain(PATIENCE).await);
    }
}

#[tokio::test]
async fn an_answer_may_have_four_mebibytes_and_no_more() {
    let answer = async |Path(bytes): Path<usize>| vec![b'x'; bytes];
    let service = Service::running(Router::new().route("/{bytes}", get(answer))).await;
    for callee in service.handles() {
        let most = called(callee, &format!("/{MAX_ANSWER_BYTES}")).await;
        assert_eq!(most.unwrap().body().len(), MAX_ANSWER_BYTES);
        match called(callee, &format!("/{}", MAX_ANSWER_BYTES + 1)).await {
            Err(CallError::Reset(error)) => assert!(is_limit(&*error), "{}", causes(&*error)),
            other => panic!("{other:?}"),
        }
    }
}

#[tokio::test]
async fn a_call_before_its_neighbour_has_started_waits_for_it() {
    let mut service = Service::bound().await;
    let here = service.here.clone();
    let early = called(&here, "/pays/7");
    let started = async {
        tokio::task::yield_now().await;
        service.start(routes(), PATIENCE);
    };
    let (answer, ()) = tokio::join!(early, started);
    assert_eq!(answer.unwrap().body(), "7");
}

//! The server between real sockets, and the order in which a service shuts down.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::Response;
use axum::routing::get;
use http_body_util::BodyExt;
use innkeeper_contracts::pod;
use innkeeper_kit::store::Store;
use innkeeper_runtime::client::{CallError, Client};
use innkeeper_runtime::component::Chore as _;
use innkeeper_runtime::database_watch::DatabaseWatch;
use innkeeper_runtime::health::Health;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::request::Peer;
use innkeeper_runtime::server::{Limits, Unrouted, serve};
use innkeeper_runtime::shutdown::{Pace, shut_down};
use innkeeper_runtime::transport::Transports;
use innkeeper_runtime::{client, edge, server};
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::{PATIENCE, in_time, until};
use innkeeper_testkit::store::{Memory, MemoryStore};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;

async fn served(router: Router, lifecycle: &Lifecycle, limits: Limits) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    lifecycle.spawn(
        "server",
        serve(
            listener.into(),
            router,
            lifecycle.clone(),
            limits,
            Unrouted::default(),
        ),
    );
    address
}

async fn got(
    client: &Client,
    address: SocketAddr,
    path: &str,
) -> Result<Response<Bytes>, CallError> {
    let request = Request::get(format!("http://{address}{path}")).body(Body::empty());
    let request = request.expect("the request is well formed");
    let answered = in_time("the service answers", client.send(request)).await;
    let (parts, body) = answered?.into_parts();
    let body = in_time("the answer is complete", body.collect()).await;
    let body = body.map_err(|error| CallError::Reset(error.into()))?;
    Ok(Response::from_parts(parts, body.to_bytes()))
}

/// Everything that a connection says until it is closed.
async fn said(mut stream: TcpStream) -> String {
    let mut text = String::new();
    in_time("the connection is closed", stream.read_to_string(&mut text))
        .await
        .expect("the connection says text");
    text
}

/// A handler that reports when it is reached, and answers when the test releases it.
struct Gate {
    reached: Semaphore,
    open: Semaphore,
}

fn gated() -> (Router, Arc<Gate>) {
    let gate = Arc::new(Gate {
        reached: Semaphore::new(0),
        open: Semaphore::new(0),
    });
    let held = Arc::clone(&gate);
    let handler = async move || {
        held.reached.add_permits(1);
        held.open.acquire().await.expect("the gate stays").forget();
        "done"
    };
    (Router::new().route("/", get(handler)), gate)
}

#[tokio::test]
async fn what_was_begun_is_finished_and_nothing_more_is_taken() {
    let lifecycle = Lifecycle::new();
    let (router, gate) = gated();
    let address = served(router, &lifecycle, Limits::default()).await;
    let client = Client::new();
    let begun = tokio::join!(got(&client, address, "/"), async {
        gate.reached.acquire().await.unwrap().forget();
        lifecycle.stop();
        until(
            "the listener is closed",
            async || match std::net::TcpStream::connect(address) {
                Ok(connection) => Err(format!("{connection:?}")),
                Err(_) => Ok(()),
            },
        )
        .await;
        gate.open.add_permits(1);
    });
    let response = begun.0.unwrap();
    assert_eq!(response.body(), "done");
    assert_eq!(response.headers()["connection"], "close");
    assert!(lifecycle.drain(PATIENCE).await);
}

#[tokio::test]
async fn what_does_not_finish_in_time_is_cut_off() {
    let lifecycle = Lifecycle::new();
    let (router, gate) = gated();
    let limits = Limits {
        drain_within: Duration::from_millis(20),
        ..Limits::default()
    };
    let address = served(router, &lifecycle, limits).await;
    let client = Client::new();
    let (answer, ()) = tokio::join!(got(&client, address, "/"), async {
        gate.reached.acquire().await.unwrap().forget();
        lifecycle.stop();
        assert!(lifecycle.drain(PATIENCE).await);
    });
    assert!(matches!(answer, Err(CallError::Reset(_))));
}

#[tokio::test]
async fn a_service_that_leaves_still_serves_but_keeps_no_connection() {
    let lifecycle = Lifecycle::new();
    let address = served(
        Router::new().route("/", get("here")),
        &lifecycle,
        Limits::default(),
    )
    .await;
    let client = Client::new();
    let before = got(&client, address, "/").await.unwrap();
    assert!(!before.headers().contains_key("connection"));
    lifecycle.leave();
    let after = got(&client, address, "/").await.unwrap();
    assert_eq!(after.body(), "here");
    assert_eq!(after.headers()["connection"], "close");
}

#[tokio::test]
async fn a_service_becomes_unready_first_and_stops_later() {
    let lifecycle = Lifecycle::new();
    let health = Health::new(&lifecycle);
    health.started();
    health.ready(true);
    let pace = Pace {
        leave_for: Duration::from_millis(20),
        drain_within: PATIENCE,
    };
    let watched = (lifecycle.clone(), health.clone());
    lifecycle.spawn("watch", async move {
        let (lifecycle, health) = watched;
        lifecycle.leaving().cancelled().await;
        assert!(!health.readiness().ok);
        assert!(!lifecycle.stopping().is_cancelled());
        lifecycle.stopping().cancelled().await;
    });
    assert!(shut_down(&lifecycle, pace).await);
    assert_eq!(lifecycle.failure(), None);
}

#[tokio::test]
async fn a_task_that_does_not_end_is_reported_and_left_behind() {
    let lifecycle = Lifecycle::new();
    lifecycle.spawn("stubborn", std::future::pending());
    let pace = Pace {
        leave_for: Duration::ZERO,
        drain_within: Duration::from_millis(10),
    };
    assert!(!shut_down(&lifecycle, pace).await);
}

#[test]
fn nobody_keeps_a_connection_longer_than_the_other_side() {
    assert!(client::IDLE_FOR < pod::LEAVE_FOR);
    assert!(client::IDLE_FOR < server::Limits::default().head_within);
}

#[tokio::test]
async fn a_connection_serves_many_requests() {
    let lifecycle = Lifecycle::new();
    let port = async |request: Request| {
        let peer = request.extensions().get::<Peer>().expect("a peer").clone();
        peer.text.to_str().expect("text").to_owned()
    };
    let address = served(
        Router::new().route("/", get(port)),
        &lifecycle,
        Limits::default(),
    )
    .await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let requests =
        "GET / HTTP/1.1\r\nhost: x\r\n\r\nGET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(requests.as_bytes()).await.unwrap();
    let text = said(stream).await;
    assert_eq!(text.matches("HTTP/1.1 200 OK").count(), 2, "{text}");
    assert_eq!(text.matches("127.0.0.1").count(), 2, "{text}");
}

#[tokio::test]
async fn head_has_no_body_even_where_there_is_nothing() {
    let lifecycle = Lifecycle::new();
    let router = edge::around(Router::new(), Metrics::new("p", "s"));
    let address = served(router, &lifecycle, Limits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = b"HEAD /nowhere HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
    stream.write_all(request).await.unwrap();
    let text = said(stream).await;
    assert!(
        text.starts_with("HTTP/1.1 404 ") && text.ends_with("\r\n\r\n"),
        "{text}"
    );
    assert!(text.contains("application/problem+json"), "{text}");
}

#[tokio::test]
async fn what_is_not_http_is_400() {
    let lifecycle = Lifecycle::new();
    let address = served(Router::new(), &lifecycle, Limits::default()).await;
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(b"nonsense\r\n\r\n").await.unwrap();
    assert!(said(stream).await.starts_with("HTTP/1.1 400 "));
}

#[tokio::test]
async fn a_connection_that_says_nothing_is_closed() {
    let lifecycle = Lifecycle::new();
    let limits = Limits {
        head_within: Duration::from_millis(20),
        ..Limits::default()
    };
    let address = served(Router::new(), &lifecycle, limits).await;
    let silent = TcpStream::connect(address).await.unwrap();
    let mut slow = TcpStream::connect(address).await.unwrap();
    slow.write_all(b"GET / HT").await.unwrap();
    said(silent).await;
    said(slow).await;
}

#[tokio::test]
async fn connections_beyond_the_bound_wait_for_their_turn() {
    let lifecycle = Lifecycle::new();
    let (router, gate) = gated();
    let limits = Limits {
        connections: 1,
        ..Limits::default()
    };
    let address = served(router, &lifecycle, limits).await;
    let closing = async || {
        let mut stream = TcpStream::connect(address)
            .await
            .expect("the system accepts");
        let request = b"GET / HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n";
        stream
            .write_all(request)
            .await
            .expect("the system takes it");
        said(stream).await
    };
    let (first, second, ()) = tokio::join!(closing(), closing(), async {
        for _ in 0..2 {
            gate.reached.acquire().await.unwrap().forget();
            assert_eq!(gate.reached.available_permits(), 0);
            gate.open.add_permits(1);
        }
    });
    assert!(first.contains("200 OK") && second.contains("200 OK"));
}

#[tokio::test]
async fn a_task_that_panics_takes_nothing_with_it_but_the_process_is_no_longer_live() {
    let lifecycle = Lifecycle::new();
    let health = Health::new(&lifecycle);
    assert!(health.live().ok);
    lifecycle.spawn("relay", async { panic!("on purpose") });
    lifecycle.spawn("other", async {});
    assert!(lifecycle.drain(PATIENCE).await);
    assert_eq!(lifecycle.failure(), Some("the task relay panicked"));
    assert!(health.live().missing["process"].contains("relay"));
}

#[tokio::test]
async fn a_store_that_has_closed_is_noticed_and_the_process_is_no_longer_live() {
    let lifecycle = Lifecycle::new();
    let health = Health::new(&lifecycle);
    let store = MemoryStore::open(Memory::default(), Arc::new(MockClock::default()));
    let store: Arc<dyn Store> = Arc::new(store);
    let metrics = Metrics::new("p", "s");
    let transports = Transports::new(&metrics);
    let watch = DatabaseWatch::new(Arc::clone(&store), lifecycle, &metrics, &transports);
    watch.round().await.unwrap();
    assert!(health.live().ok);

    store.close().await;
    watch.round().await.unwrap();
    assert!(health.live().missing["process"].contains("database"));
}

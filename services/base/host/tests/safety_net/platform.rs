//! A booking and a payment service in this process, with a log that loses events, a clock that the
//! test sets, and a bridge between them that the test controls.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::State;
use axum::http::{Method, Request, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::post;
use innkeeper_broker::MemoryLog;
use innkeeper_contracts::calls::{
    AUTHORIZATIONS, AuthorizeAnswer, AuthorizeOutcome, AuthorizeRequest, BOOKINGS, BookingsRequest,
};
use innkeeper_contracts::settings::Capture;
use innkeeper_contracts::{EventType, Snapshot};
use innkeeper_host::{Backing, Launch, Neighbours, Service};
use innkeeper_kit::CrashPlan;
use innkeeper_runtime::client::Client;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::{in_time, until};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

use crate::losing::Losing;

/// What the bridge does with a payment's answer to an authorize call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Bridge {
    /// It passes the answer on.
    PassesOn,
    /// It answers that it failed.
    LosesAnswers,
    /// It answers that the payment was declined.
    SaysDeclined,
}

/// The services, with what they run on.
pub struct Platform {
    folder: TempDir,
    clock: Arc<MockClock>,
    log: MemoryLog,
    lost: Vec<EventType>,
    /// How long a booking may be pending. The payment service always believes a minute.
    pending_minutes: u32,
    client: Client,
    bookings: Option<Service>,
    payments: Service,
    bookings_at: SocketAddr,
    payments_at: SocketAddr,
    bridge: Arc<Mutex<Bridge>>,
    bridge_at: SocketAddr,
    _bridge: tokio::task::JoinSet<()>,
}

/// An answer to a request.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub body: Value,
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

impl Platform {
    /// A platform whose booking service's events of these types are lost.
    pub async fn that_loses(lost: &[EventType], capture: Capture) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(MockClock::default());
        let log = MemoryLog::default();
        let (bookings_listener, bookings_at) = listen().await;
        let (payments_listener, payments_at) = listen().await;
        let (bridge_listener, bridge_at) = listen().await;
        let bridge = Arc::new(Mutex::new(Bridge::PassesOn));
        let mut bridges = tokio::task::JoinSet::new();
        let router = bridge_router(Arc::clone(&bridge), payments_at);
        bridges.spawn(async move { axum::serve(bridge_listener, router).await.unwrap() });
        let payments = start(
            payment_settings(&folder, capture, bookings_at),
            payments_listener,
            Losing {
                log: log.for_group("pay"),
                lost: Vec::new(),
            },
            Arc::clone(&clock),
        );
        let payments = payments.await;
        let mut platform = Self {
            folder,
            clock,
            log,
            lost: lost.to_vec(),
            pending_minutes: 1,
            client: Client::new(),
            bookings: None,
            payments,
            bookings_at,
            payments_at,
            bridge,
            bridge_at,
            _bridge: bridges,
        };
        platform.start_bookings_on(bookings_listener).await;
        platform
    }

    async fn start_bookings_on(&mut self, listener: TcpListener) {
        let log = Losing {
            log: self.log.for_group("reservation"),
            lost: self.lost.clone(),
        };
        let settings = booking_settings(&self.folder, self.bridge_at, self.pending_minutes);
        let service = start(settings, listener, log, Arc::clone(&self.clock)).await;
        self.bookings = Some(service);
    }

    pub async fn stop_bookings(&mut self) {
        let bookings = self.bookings.take().unwrap();
        assert!(bookings.stop(Duration::ZERO).await);
    }

    pub async fn start_bookings(&mut self) {
        let listener = TcpListener::bind(self.bookings_at).await.unwrap();
        self.start_bookings_on(listener).await;
    }

    /// Starts the booking service anew with another time that a booking may be pending.
    pub async fn allow_pending_for(&mut self, minutes: u32) {
        self.stop_bookings().await;
        self.pending_minutes = minutes;
        self.start_bookings().await;
    }

    /// Accepts one connection in the place of the booking service, answers with this text, and
    /// closes it.
    pub async fn answers_a_question(&self, answer: &str) {
        let listener = TcpListener::bind(self.bookings_at).await.unwrap();
        let accepted = in_time("a question", listener.accept()).await;
        let (mut connection, _) = accepted.unwrap();
        // The beginning of the question.
        let begun = in_time("its text", connection.read_u8()).await;
        begun.unwrap();
        connection.write_all(answer.as_bytes()).await.unwrap();
    }

    pub async fn stop(self) {
        for service in self.bookings.into_iter().chain([self.payments]) {
            assert!(service.stop(Duration::ZERO).await);
        }
    }

    pub fn minutes_pass(&self, minutes: i64) {
        self.clock.advance(SignedDuration::from_mins(minutes));
    }

    pub fn set_bridge(&self, bridge: Bridge) {
        *self.bridge.lock().unwrap() = bridge;
    }

    pub async fn try_to_place(&self) -> Answer {
        let body = json!({ "customer": "kim", "amount": 50_000 });
        send(
            &self.client,
            Method::POST,
            format!("http://{}/reservations", self.bookings_at),
            &body,
        )
        .await
    }

    /// Places a booking, and returns its id, which its payment has too.
    pub async fn place(&self) -> i64 {
        let answer = self.try_to_place().await;
        assert_eq!(answer.status, 201, "{answer:?}");
        answer.body["id"].as_i64().unwrap()
    }

    pub async fn cancel(&self, id: i64) {
        let uri = format!("http://{}/reservations/{id}", self.bookings_at);
        let body = json!({ "status": "cancelled" });
        let answer = send(&self.client, Method::PATCH, uri, &body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Authorizes a payment of which no booking service knows.
    pub async fn authorize_unknown(&self) {
        let request = AuthorizeRequest {
            correlation_id: Uuid::now_v7(),
            clock: 1,
            snapshot: Snapshot::default(),
        };
        let uri = format!("http://{}{AUTHORIZATIONS}", self.payments_at);
        let answer = send(&self.client, Method::POST, uri, &json!(request)).await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// Asks the booking service as if it were this one, and returns the status.
    pub async fn ask(&self, asked: &str) -> u16 {
        let request = BookingsRequest {
            asked: asked.to_owned(),
            correlation_ids: vec![Uuid::now_v7()],
        };
        let uri = format!("http://{}{BOOKINGS}", self.bookings_at);
        send(&self.client, Method::POST, uri, &json!(request))
            .await
            .status
    }

    pub async fn shows_payment(&self, id: i64, status: &str) {
        let uri = format!("http://{}/pays/{id}", self.payments_at);
        self.shows(uri, status).await;
    }

    pub async fn shows_booking(&self, id: i64, status: &str) {
        let uri = format!("http://{}/reservations/{id}", self.bookings_at);
        self.shows(uri, status).await;
    }

    async fn shows(&self, uri: String, status: &str) {
        until(status, async || {
            let answer = send(&self.client, Method::GET, uri.clone(), &Value::Null).await;
            if answer.body["status"] == status {
                Ok(())
            } else {
                Err(format!("{uri}: {answer:?}"))
            }
        })
        .await;
    }
}

async fn send(client: &Client, method: Method, uri: String, body: &Value) -> Answer {
    let request = Request::builder().method(method).uri(uri);
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let answer = in_time("an answer", client.send(request)).await.unwrap();
    let (head, body) = answer.into_parts();
    let body = to_bytes(Body::new(body), usize::MAX).await.unwrap();
    Answer {
        status: head.status.as_u16(),
        body: serde_json::from_slice(&body).unwrap(),
    }
}

async fn start(
    settings: Value,
    listener: TcpListener,
    log: Losing,
    clock: Arc<MockClock>,
) -> Service {
    let launch = Launch {
        settings: serde_json::from_value(settings).unwrap(),
        listener: listener.into(),
        backing: Some(Backing::Relayed(Arc::new(log))),
        neighbours: Neighbours::default(),
        clock,
        crash: CrashPlan::default(),
    };
    Service::start(launch).await.unwrap()
}

fn settings(folder: &TempDir, service: &str, path: &str, component: &Value) -> Value {
    json!({
        "namespace": "default",
        "platform": "rentcar",
        "service": service,
        "path": path,
        "component": component,
        "database": { "sqlite": { "file": folder.path().join(format!("{service}.db")) } },
        "log": { "sqlite": { "file": "unused", "topic": "rentcar", "group": "unused" } },
    })
}

fn booking_settings(folder: &TempDir, payments_at: SocketAddr, pending_minutes: u32) -> Value {
    let payment = json!({
        "service": "pay",
        "address": format!("http://{payments_at}"),
        "when": "OnPlacement",
        "timeoutMs": 30_000,
    });
    let booking = json!({ "booking": {
        "currency": "KRW",
        "payment": payment,
        "pendingTimeoutSeconds": pending_minutes * 60,
    } });
    settings(folder, "reservation", "/reservations", &booking)
}

fn payment_settings(folder: &TempDir, capture: Capture, bookings_at: SocketAddr) -> Value {
    let payment = json!({ "payment": {
        "bookings": ["reservation"],
        "bookingAddresses": [{ "service": "reservation", "address": format!("http://{bookings_at}") }],
        "capture": capture,
        "when": "OnPlacement",
    } });
    settings(folder, "pay", "/pays", &payment)
}

#[derive(Clone)]
struct Crossing {
    bridge: Arc<Mutex<Bridge>>,
    payments_at: SocketAddr,
    client: Client,
}

fn bridge_router(bridge: Arc<Mutex<Bridge>>, payments_at: SocketAddr) -> Router {
    let crossing = Crossing {
        bridge,
        payments_at,
        client: Client::new(),
    };
    Router::new()
        .route(AUTHORIZATIONS, post(cross))
        .with_state(crossing)
}

async fn cross(State(crossing): State<Crossing>, body: String) -> Response {
    let uri = format!("http://{}{AUTHORIZATIONS}", crossing.payments_at);
    let body: Value = serde_json::from_str(&body).unwrap();
    let answer = send(&crossing.client, Method::POST, uri, &body).await;
    let bridge = *crossing.bridge.lock().unwrap();
    match bridge {
        Bridge::LosesAnswers => StatusCode::BAD_GATEWAY.into_response(),
        Bridge::PassesOn => answer.body.to_string().into_response(),
        Bridge::SaysDeclined => {
            let declined = AuthorizeAnswer {
                clock: 2,
                outcome: AuthorizeOutcome::Declined {
                    id: 1,
                    reason: "on purpose".to_owned(),
                },
            };
            json!(declined).to_string().into_response()
        }
    }
}

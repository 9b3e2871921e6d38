//! A payment service on a store in memory, and what it is told.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, EventType, ServiceSettings, Snapshot, settings};
use innkeeper_kit::{Clock, CrashPlan};
use innkeeper_payment::component;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::store::{Memory, MemoryStore};
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

pub const SAGA: Uuid = Uuid::from_u128(7);
pub const PAY_WITHIN: SignedDuration = SignedDuration::from_mins(15);

/// The settings of a payment service that declines more than this.
fn service(decline_above: i64) -> ServiceSettings {
    let settings = json!({
        "namespace": "default",
        "platform": "rentcar",
        "service": "pay",
        "path": "/pays",
        "component": { "payment": {
            "bookings": ["reservation"],
            "capture": "Manual",
            "when": "Later",
            "payWithinSeconds": PAY_WITHIN.as_secs(),
            "provider": { "test": { "declineAbove": decline_above } },
        } },
    });
    serde_json::from_value(settings).unwrap()
}

pub fn confirmed(service: &ServiceSettings) -> Event {
    Event {
        id: Uuid::from_u128(1),
        source: EventSource {
            service: "reservation".to_owned(),
            ..EventSource::of(service)
        },
        event_type: EventType::BOOKING_CONFIRMED,
        time: MockClock::default().now(),
        correlation_id: SAGA,
        causation_id: None,
        sequence: 1,
        traceparent: None,
        data: EventData {
            id: 1,
            event: "confirmed".to_owned(),
            status: "confirmed".to_owned(),
            unlabelled: false,
            clock: 2,
            snapshot: Snapshot {
                amount: Some(50_000),
                ..Snapshot::default()
            },
        },
    }
}

/// A process of the payment service on what is kept.
pub fn start(memory: &Memory, decline_above: i64) -> (Component, Context) {
    start_at(memory, decline_above, &Arc::default())
}

pub fn start_at(
    memory: &Memory,
    decline_above: i64,
    clock: &Arc<MockClock>,
) -> (Component, Context) {
    let clock = Arc::clone(clock);
    let service = service(decline_above);
    let settings::Component::Payment(payment) = &service.component else {
        panic!("it takes money")
    };
    let payment = payment.clone();
    let context = Context {
        settings: Arc::new(service),
        store: Arc::new(MemoryStore::open(memory.clone(), clock.clone())),
        clock,
        client: Client::new(),
        crash: CrashPlan::default(),
        process: Uuid::from_u128(2),
        tasks: Lifecycle::new(),
    };
    (component(&payment, &context).unwrap(), context)
}

/// Lets the service hear that the booking is confirmed, so that it requests the payment.
pub async fn request(pay: &Component, context: &Context) {
    let event = Arc::new(confirmed(&context.settings));
    let reactor = pay.reactor.as_ref().unwrap();
    reactor.react(&event).await.unwrap();
}

pub async fn send(router: &Router, method: Method, body: &Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri("/pays/1");
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

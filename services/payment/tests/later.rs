//! Payments that are due later, over HTTP, on a store in memory.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, EventType, ServiceSettings, Snapshot, settings};
use innkeeper_kit::store::Due;
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

const SAGA: Uuid = Uuid::from_u128(7);
const PAY_WITHIN: SignedDuration = SignedDuration::from_mins(15);

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

fn confirmed(service: &ServiceSettings) -> Event {
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
fn start(memory: &Memory, decline_above: i64) -> (Component, Context) {
    start_at(memory, decline_above, &Arc::default())
}

fn start_at(memory: &Memory, decline_above: i64, clock: &Arc<MockClock>) -> (Component, Context) {
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
async fn request(pay: &Component, context: &Context) {
    let event = Arc::new(confirmed(&context.settings));
    let reactor = pay.reactor.as_ref().unwrap();
    reactor.react(&event).await.unwrap();
}

async fn send(router: &Router, method: Method, body: &Value) -> (u16, Value) {
    let request = Request::builder().method(method).uri("/pays/1");
    let request = request.header("content-type", "application/json");
    let request = request.body(Body::from(body.to_string())).unwrap();
    let answer = router.clone().oneshot(request).await.unwrap();
    let status = answer.status().as_u16();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    (status, serde_json::from_slice(&body).unwrap())
}

#[tokio::test]
async fn a_client_whose_payment_was_declined_can_try_again() {
    let memory = Memory::default();
    let (pay, context) = start(&memory, 49_999);
    request(&pay, &context).await;
    let paid = json!({ "status": "captured" });

    for _ in 0..2 {
        let (status, problem) = send(&pay.router, Method::PATCH, &paid).await;
        assert_eq!(status, 402, "{problem}");
        assert!(problem["detail"].as_str().unwrap().contains("49999"));
        let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
        assert_eq!(shown["status"], "requested");
    }
    let row = context.store.load(SAGA).await.unwrap().unwrap();
    assert!(row.body.contains("49999"), "{}", row.body);

    let (pay, context) = start(&memory, 50_000);
    let (status, shown) = send(&pay.router, Method::PATCH, &paid).await;
    assert_eq!((status, &shown["status"]), (200, &json!("captured")));
    let row = context.store.load(SAGA).await.unwrap().unwrap();
    assert!(!row.body.contains("49999"), "{}", row.body);
}

#[tokio::test]
async fn a_payment_is_voided_once_its_time_is_over_and_not_before() {
    let memory = Memory::default();
    let clock = Arc::new(MockClock::default());
    let (pay, context) = start_at(&memory, 49_999, &clock);
    request(&pay, &context).await;
    let paid = json!({ "status": "captured" });
    let (status, _) = send(&pay.router, Method::PATCH, &paid).await;
    assert_eq!(status, 402, "a try that is declined gives no more time");
    let end_overdue = pay.chores.last().unwrap();

    clock.advance(PAY_WITHIN - SignedDuration::from_secs(1));
    end_overdue.round().await.unwrap();
    let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
    assert_eq!(shown["status"], "requested");

    clock.advance(SignedDuration::from_secs(1));
    for _ in 0..2 {
        end_overdue.round().await.unwrap();
    }
    let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
    assert_eq!(shown["status"], "voided");
    let raised = context.store.load_unpublished(None, 9).await.unwrap();
    let voided = EventType::PAYMENT_VOIDED.as_str();
    assert_eq!(raised.len(), 2, "it is voided once: {raised:?}");
    assert_eq!(raised[1].event_type, voided);
    assert!(raised[1].payload.contains(r#""unpaid":true"#));
}

/// Claims the payment for another process, for ten seconds, as the chore does.
async fn claim(context: &Context) {
    let due = Due {
        state: "requested".to_owned(),
        age: PAY_WITHIN.unsigned_abs(),
        owner: Uuid::max(),
        hold_for: Duration::from_secs(10),
        limit: 9,
    };
    let claimed = context.store.claim_due(due).await.unwrap();
    assert_eq!(claimed.len(), 1);
}

#[tokio::test]
async fn a_client_that_pays_at_the_last_moment_has_paid_although_another_process_ends_it() {
    let memory = Memory::default();
    let clock = Arc::new(MockClock::default());
    let (pay, context) = start_at(&memory, 50_000, &clock);
    request(&pay, &context).await;
    clock.advance(PAY_WITHIN);
    claim(&context).await;

    let paid = json!({ "status": "captured" });
    assert_eq!(send(&pay.router, Method::PATCH, &paid).await.0, 200);
    clock.advance(PAY_WITHIN);
    pay.chores.last().unwrap().round().await.unwrap();
    let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
    assert_eq!(shown["status"], "captured");
}

#[tokio::test]
async fn what_a_process_claimed_that_died_is_ended_by_another_one() {
    let memory = Memory::default();
    let clock = Arc::new(MockClock::default());
    let (pay, context) = start_at(&memory, 50_000, &clock);
    request(&pay, &context).await;
    clock.advance(PAY_WITHIN);
    claim(&context).await;
    let end_overdue = pay.chores.last().unwrap();

    end_overdue.round().await.unwrap();
    let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
    assert_eq!(shown["status"], "requested", "it is claimed");
    clock.advance(SignedDuration::from_secs(10));
    end_overdue.round().await.unwrap();
    let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
    assert_eq!(shown["status"], "voided");
}

#[tokio::test]
async fn a_declined_payment_is_shown_to_whom_only_asks_for_its_state() {
    let (pay, context) = start(&Memory::default(), 49_999);
    request(&pay, &context).await;
    send(&pay.router, Method::PATCH, &json!({ "status": "captured" })).await;

    let same = json!({ "status": "requested" });
    assert_eq!(send(&pay.router, Method::PATCH, &same).await.0, 200);
    let release = json!({ "status": "voided" });
    let (status, shown) = send(&pay.router, Method::PATCH, &release).await;
    assert_eq!((status, &shown["status"]), (200, &json!("voided")));
}

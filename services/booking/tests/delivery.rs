//! Deliveries that cross the end or the settlement of their booking, on a store in memory.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

use std::sync::Arc;

use axum::body::Body;
use axum::http::{Method, Request};
use innkeeper_booking::component;
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, EventType, ServiceSettings, Snapshot, settings};
use innkeeper_kit::CrashPlan;
use innkeeper_kit::store::{Query, Row};
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::store::{Memory, MemoryStore};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// A booking service on a store of its own.
struct Reservation {
    component: Component,
    context: Context,
    metrics: Metrics,
}

impl Reservation {
    fn new(booking: &Value) -> Self {
        let settings = json!({
            "namespace": "default",
            "platform": "rentcar",
            "service": "reservation",
            "path": "/reservations",
            "component": { "booking": booking },
        });
        let service: ServiceSettings = serde_json::from_value(settings).unwrap();
        let settings::Component::Booking(booking) = service.component.clone() else {
            panic!("it takes bookings")
        };
        let clock = Arc::new(MockClock::default());
        let context = Context {
            settings: Arc::new(service),
            store: Arc::new(MemoryStore::open(Memory::default(), clock.clone())),
            clock,
            client: Client::new(),
            crash: CrashPlan::default(),
            process: Uuid::from_u128(2),
            tasks: Lifecycle::new(),
        };
        let metrics = Metrics::new("rentcar", "reservation");
        Self {
            component: component(&booking, &context, &metrics).unwrap(),
            context,
            metrics,
        }
    }

    async fn send(&self, method: Method, path: &str, body: &Value) -> u16 {
        let request = Request::builder().method(method).uri(path);
        let request = request.header("content-type", "application/json");
        let request = request.body(Body::from(body.to_string())).unwrap();
        let router = self.component.router.clone();
        router.oneshot(request).await.unwrap().status().as_u16()
    }

    async fn row(&self) -> Row {
        let rows = self.context.store.list(Query::page(0, 1)).await.unwrap();
        rows.into_iter().next().unwrap()
    }

    /// Tells it that its booking was delivered, in an event of its own.
    async fn deliver(&self) {
        let row = self.row().await;
        let event = Event {
            id: Uuid::now_v7(),
            source: EventSource {
                service: "rent".to_owned(),
                ..EventSource::of(&self.context.settings)
            },
            event_type: EventType::FULFILLMENT_COMPLETED,
            time: self.context.clock.now(),
            correlation_id: row.correlation_id,
            causation_id: None,
            sequence: 1,
            traceparent: None,
            data: EventData {
                id: 1,
                event: "completed".to_owned(),
                status: "completed".to_owned(),
                unlabelled: false,
                clock: 9,
                snapshot: Snapshot::default(),
            },
        };
        let reactor = self.component.reactor.as_ref().unwrap();
        reactor.react(&Arc::new(event)).await.unwrap();
    }

    async fn events(&self) -> Vec<String> {
        let events = self.context.store.load_unpublished(None, 10).await.unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    /// The `ce_sequence` of the events, in their order.
    async fn sequences(&self) -> Vec<String> {
        let events = self.context.store.load_unpublished(None, 10).await.unwrap();
        let headers = events.into_iter().flat_map(|event| event.headers);
        let sequences = headers.filter(|(name, _)| name == "ce_sequence");
        sequences.map(|(_, sequence)| sequence).collect()
    }

    fn delivered_in_vain(&self) -> String {
        let name = "innkeeper_bookings_cancelled_after_delivery_total{";
        let text = self.metrics.render();
        let line = text.lines().find(|line| line.starts_with(name)).unwrap();
        line.rsplit(' ').next().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_delivery_confirms_and_completes_a_pending_booking_with_two_events() {
    let nobody = json!({ "payment": {
        "service": "pay",
        "address": "http://127.0.0.1:1",
        "when": "OnPlacement",
        "timeoutMs": 100,
    } });
    let reservation = Reservation::new(&nobody);
    let empty = json!({});
    let status = reservation.send(Method::POST, "/reservations", &empty);
    assert_eq!(status.await, 503);
    assert_eq!(reservation.row().await.state, "pending");

    reservation.deliver().await;

    assert_eq!(reservation.row().await.state, "completed");
    let [confirmed, completed] = [EventType::BOOKING_CONFIRMED, EventType::BOOKING_COMPLETED];
    let expected = [confirmed.as_str(), completed.as_str()];
    assert_eq!(reservation.events().await, expected);
    assert_eq!(reservation.sequences().await, ["10", "11"]);
    assert_eq!(reservation.delivered_in_vain(), "0");
}

#[tokio::test]
async fn a_delivery_of_a_cancelled_booking_is_counted_once_and_the_booking_says_so() {
    let reservation = Reservation::new(&json!({}));
    let empty = json!({});
    let status = reservation.send(Method::POST, "/reservations", &empty);
    assert_eq!(status.await, 201);
    let cancel = json!({ "status": "cancelled" });
    let status = reservation.send(Method::PATCH, "/reservations/1", &cancel);
    assert_eq!(status.await, 200);
    let before = reservation.events().await;

    reservation.deliver().await;
    reservation.deliver().await;

    let row = reservation.row().await;
    assert_eq!(row.state, "cancelled");
    assert!(row.body.contains("delivered"), "{}", row.body);
    assert_eq!(reservation.events().await, before, "nobody is told");
    assert_eq!(reservation.delivered_in_vain(), "1");
}

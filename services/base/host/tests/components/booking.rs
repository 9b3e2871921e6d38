//! Placing a booking, with a payment service that does what the test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::http::{Method, StatusCode};
use axum::routing::post;
use axum::{Json, Router};
use innkeeper_contracts::calls::{AUTHORIZATIONS, AuthorizeAnswer, AuthorizeOutcome};
use innkeeper_host::Neighbours;
use innkeeper_testkit::patience::until;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tower::ServiceExt;

use crate::given::{NEIGHBOUR, Service, neighbour, request, service, service_beside};

fn settings() -> Value {
    json!({ "booking": {
        "payment": {
            "service": "pay", "address": format!("http://{NEIGHBOUR}"), "when": "OnPlacement", "timeoutMs": 30_000,
        },
    } })
}

/// A payment service that authorizes once the test lets it, and counts its calls.
#[derive(Clone)]
struct Payment {
    called: Arc<AtomicUsize>,
    gate: Arc<Semaphore>,
}

impl Payment {
    fn gated() -> Self {
        Self {
            called: Arc::default(),
            gate: Arc::new(Semaphore::new(0)),
        }
    }

    fn routes(&self) -> Router {
        let payment = self.clone();
        let authorize = move || {
            let payment = payment.clone();
            async move {
                payment.called.fetch_add(1, Ordering::SeqCst);
                payment.gate.acquire().await.unwrap().forget();
                Json(AuthorizeAnswer {
                    clock: 2,
                    outcome: AuthorizeOutcome::Authorized { id: 7 },
                })
            }
        };
        Router::new().route(AUTHORIZATIONS, post(authorize))
    }
}

async fn until_states_are(service: &Service, expected: &[&str]) {
    until("the states are as expected", async || {
        let states = service.states().await;
        if states == expected {
            return Ok(());
        }
        Err(format!("{states:?}"))
    })
    .await;
}

#[tokio::test]
async fn a_client_that_hangs_up_in_the_middle_has_its_booking_settled() {
    let neighbours = Neighbours::default();
    let payment = Payment::gated();
    let joined = neighbours.join(NEIGHBOUR, neighbour(payment.routes()));
    let service = service_beside(&settings(), &neighbours);
    let post = request(Method::POST, "/things", &json!({}));
    let mut posting = Box::pin(service.component.router.clone().oneshot(post));
    let asked = until("payment is asked", async || {
        let called = payment.called.load(Ordering::SeqCst);
        (called == 1)
            .then_some(())
            .ok_or_else(|| called.to_string())
    });
    tokio::select! {
        answer = &mut posting => panic!("it does not wait for payment: {answer:?}"),
        () = asked => {}
    }
    assert_eq!(service.states().await, ["pending"]);

    drop(posting);
    payment.gate.add_permits(1);

    until_states_are(&service, &["confirmed"]).await;
    assert_eq!(
        service.raised().await,
        ["dev.innkeeper.booking.confirmed.v1"]
    );
    drop(joined);
}

#[tokio::test]
async fn a_payment_service_that_is_away_leaves_the_booking_pending() {
    let service = service(&settings());

    let (status, problem) = service.send(Method::POST, "/things", &json!({})).await;

    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(problem["service"], "pay");
    assert_eq!(service.states().await, ["pending"]);
    assert!(service.raised().await.is_empty());
}

#[tokio::test]
async fn a_booking_that_is_not_paid_on_placement_is_confirmed_cancelled_and_refused() {
    let service = service(&json!({ "booking": {} }));

    let (status, booking) = service
        .send(Method::POST, "/things", &json!({ "customer": "kim" }))
        .await;
    assert_eq!(
        (status, &booking["customer"]),
        (StatusCode::CREATED, &json!("kim"))
    );

    let cancel = json!({ "status": "cancelled" });
    for _ in 0..2 {
        let (status, booking) = service.send(Method::PATCH, "/things/1", &cancel).await;
        assert_eq!(
            (status, &booking["status"]),
            (StatusCode::OK, &json!("cancelled"))
        );
    }
    let confirm = json!({ "status": "confirmed" });
    let (status, _) = service.send(Method::PATCH, "/things/1", &confirm).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert_eq!(service.get("/things/2").await.0, StatusCode::NOT_FOUND);
    assert_eq!(
        service.raised().await,
        [
            "dev.innkeeper.booking.confirmed.v1",
            "dev.innkeeper.booking.cancelled.v1"
        ]
    );
}

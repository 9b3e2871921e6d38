//! Placing a booking, with a payment service that does what the test says.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::body::to_bytes;
use axum::http::{HeaderValue, Method, StatusCode};
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

#[tokio::test]
async fn a_key_replays_the_answer_to_its_own_principal_only() {
    let service = service(&json!({ "booking": {} }));
    let post = async |principal: &str, item: &str| {
        let mut request = request(Method::POST, "/things", &json!({ "item": item }));
        let headers = request.headers_mut();
        headers.insert("idempotency-key", HeaderValue::from_static("1"));
        headers.insert("innkeeper-principal", principal.parse().unwrap());
        let answer = service.component.router.clone().oneshot(request).await;
        let answer = answer.unwrap();
        (
            answer.status().as_u16(),
            answer.headers().get("location").cloned(),
        )
    };
    let kims = post("kim", "7").await;
    let lees = post("lee", "8").await;
    assert_eq!((kims.0, lees.0), (201, 201));
    assert_ne!(kims.1, lees.1);
    assert_eq!(post("kim", "7").await, kims);
    assert_eq!(
        post("anyone", "7").await.1,
        Some(HeaderValue::from_static("/things/3"))
    );
    assert_eq!(
        post("lee", "7").await.0,
        422,
        "it is the key of another body"
    );
}

#[tokio::test]
async fn a_key_changes_nothing_of_an_answer() {
    for outcome in [
        AuthorizeOutcome::Authorized { id: 7 },
        AuthorizeOutcome::Declined {
            id: 7,
            reason: "too much".to_owned(),
        },
    ] {
        let answer = AuthorizeAnswer { clock: 2, outcome };
        let authorize = move || async move { Json(answer.clone()) };
        let routes = Router::new().route(AUTHORIZATIONS, post(authorize));
        let neighbours = Neighbours::default();
        let _payment = neighbours.join(NEIGHBOUR, neighbour(routes));
        let service = service_beside(&settings(), &neighbours);
        let mut answers = Vec::new();
        for key in [None, Some("1")] {
            let mut request = request(Method::POST, "/things", &json!({ "item": "7" }));
            if let Some(key) = key {
                let headers = request.headers_mut();
                headers.insert("idempotency-key", HeaderValue::from_static(key));
            }
            let response = service.component.router.clone().oneshot(request).await;
            let (parts, body) = response.unwrap().into_parts();
            let body = to_bytes(body, usize::MAX).await.unwrap();
            let mut body: Value = serde_json::from_slice(&body).unwrap();
            if parts.status == StatusCode::CREATED {
                let id = body["id"].take();
                assert_eq!(parts.headers["location"], format!("/things/{id}"));
                assert_eq!(
                    body["_links"].take()["self"]["href"],
                    format!("/things/{id}")
                );
            }
            answers.push((parts.status, body));
        }
        assert_eq!(answers[0], answers[1]);
    }
}

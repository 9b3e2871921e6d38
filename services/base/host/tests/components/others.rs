//! Payment, fulfillment and view: one way through each.

use axum::http::{Method, StatusCode};
use innkeeper_contracts::EventType;
use innkeeper_contracts::calls::AUTHORIZATIONS;
use innkeeper_kit::repository::Effect;
use serde_json::json;
use uuid::Uuid;

use crate::given::{event, service};

#[tokio::test]
async fn a_payment_is_authorized_once_captured_by_event_and_refunded_by_command() {
    let service = service(&json!({ "payment": { "bookings": ["reservation"] } }));
    let call = json!({ "correlationId": Uuid::nil(), "clock": 1, "snapshot": { "amount": 500 } });
    for _ in 0..2 {
        let (status, answer) = service.send(Method::POST, AUTHORIZATIONS, &call).await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(answer["outcome"], json!({ "kind": "authorized", "id": 1 }));
    }

    let confirmed = event("reservation", EventType::BOOKING_CONFIRMED, 3);
    assert_eq!(service.react(&confirmed).await, Effect::Done);
    assert_eq!(service.react(&confirmed).await, Effect::Duplicate);
    assert_eq!(service.states().await, ["captured"]);

    let refund = json!({ "status": "refunded" });
    let (status, payment) = service.send(Method::PATCH, "/things/1", &refund).await;
    assert_eq!(
        (status, &payment["status"]),
        (StatusCode::OK, &json!("refunded"))
    );
    assert_eq!(service.raised().await.len(), 3);
}

#[tokio::test]
async fn the_end_of_a_booking_that_comes_first_refuses_its_payment() {
    let service = service(&json!({ "payment": { "bookings": ["reservation"] } }));
    let expired = event("reservation", EventType::BOOKING_EXPIRED, 3);
    assert_eq!(service.react(&expired).await, Effect::Done);

    let call = json!({ "correlationId": Uuid::nil(), "clock": 1, "snapshot": {} });
    let (status, answer) = service.send(Method::POST, AUTHORIZATIONS, &call).await;

    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["outcome"], json!({ "kind": "ended" }));
    assert!(
        service.states().await.is_empty(),
        "a tombstone is not listed"
    );
}

#[tokio::test]
async fn a_payment_that_is_unknown_when_its_booking_asks_is_refused_from_then_on() {
    let service = service(&json!({ "payment": { "bookings": ["reservation"] } }));
    let outcome = format!("{AUTHORIZATIONS}/{}", Uuid::nil());
    let (status, answer) = service.send(Method::GET, &outcome, &json!({})).await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(answer["outcome"], json!({ "kind": "ended" }));

    let call = json!({ "correlationId": Uuid::nil(), "clock": 1, "snapshot": { "amount": 500 } });
    let (_, answer) = service.send(Method::POST, AUTHORIZATIONS, &call).await;

    assert_eq!(answer["outcome"], json!({ "kind": "ended" }));
    assert!(service.states().await.is_empty(), "nothing was authorized");
}

#[tokio::test]
async fn a_fulfillment_begins_with_the_capture_and_goes_forward_only() {
    let settings =
        json!({ "payments": ["pay"], "bookings": ["reservation"], "startAs": "InProgress" });
    let service = service(&json!({ "fulfillment": settings }));
    let captured = event("pay", EventType::PAYMENT_CAPTURED, 4);
    assert_eq!(service.react(&captured).await, Effect::Done);

    let complete = json!({ "status": "completed" });
    let (status, _) = service.send(Method::PATCH, "/things/1", &complete).await;
    assert_eq!(status, StatusCode::OK);
    let back = json!({ "status": "inProgress" });
    let (status, _) = service.send(Method::PATCH, "/things/1", &back).await;
    assert_eq!(status, StatusCode::CONFLICT);
    let (status, _) = service.send(Method::POST, "/things", &json!({})).await;
    assert_eq!(status, StatusCode::METHOD_NOT_ALLOWED);
}

#[tokio::test]
async fn a_view_shows_the_latest_of_what_it_has_seen() {
    let columns = json!([{ "name": "status", "sources": [
        { "service": "reservation", "value": { "field": "status" } },
        { "service": "pay", "value": { "field": "status" } },
    ] }]);
    let service = service(&json!({ "view": { "columns": columns } }));
    let mut confirmed = event("reservation", EventType::BOOKING_CONFIRMED, 3);
    confirmed.data.status = "Reserved".to_owned();

    let captured = event("pay", EventType::PAYMENT_CAPTURED, 4);
    assert_eq!(service.react(&captured).await, Effect::Done);
    assert_eq!(service.react(&confirmed).await, Effect::None, "it is older");

    let (status, page) = service.get("/things").await;
    assert_eq!(status, StatusCode::OK);
    assert_eq!(page["_embedded"]["things"][0]["status"], "payed");
    let (status, row) = service.get("/things/1").await;
    assert_eq!((status, &row["status"]), (StatusCode::OK, &json!("payed")));
}

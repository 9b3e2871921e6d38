//! Payments that are due later, over HTTP.

use std::sync::Arc;
use std::time::Duration;

use axum::http::Method;
use innkeeper_contracts::EventType;
use innkeeper_kit::store::Due;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::store::Memory;
use jiff::SignedDuration;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::given::{PAY_WITHIN, SAGA, request, send, start, start_at};

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

/// A payment service whose payment is overdue, and claimed for another process.
async fn start_claimed(clock: &Arc<MockClock>) -> Component {
    let (pay, context) = start_at(&Memory::default(), 50_000, clock);
    request(&pay, &context).await;
    clock.advance(PAY_WITHIN);
    claim(&context).await;
    pay
}

#[tokio::test]
async fn a_client_that_pays_at_the_last_moment_has_paid_although_another_process_ends_it() {
    let clock = Arc::new(MockClock::default());
    let pay = start_claimed(&clock).await;

    let paid = json!({ "status": "captured" });
    assert_eq!(send(&pay.router, Method::PATCH, &paid).await.0, 200);
    clock.advance(PAY_WITHIN);
    pay.chores.last().unwrap().round().await.unwrap();
    let (_, shown) = send(&pay.router, Method::GET, &Value::Null).await;
    assert_eq!(shown["status"], "captured");
}

#[tokio::test]
async fn what_a_process_claimed_that_died_is_ended_by_another_one() {
    let clock = Arc::new(MockClock::default());
    let pay = start_claimed(&clock).await;
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

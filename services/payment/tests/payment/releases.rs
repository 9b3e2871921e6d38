//! Rows that a newer release has written.

use std::sync::Arc;

use innkeeper_contracts::EventType;
use innkeeper_kit::log::Content;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{Changes, ClaimChange, DeadLetterKind, RowChange, Scope, StepInput};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::reception::{NotReceived, Reception};
use innkeeper_testkit::store::Memory;
use uuid::Uuid;

use crate::given::{SAGA, confirmed, request, start};

/// Moves the payment to a state, as another release does.
async fn move_to(context: &Context, state: &'static str) {
    let input = StepInput::about(Scope::Saga(SAGA));
    let moved = context.store.decide(input, move |seen| {
        let row = seen.rows[0].clone();
        let change = RowChange {
            row_id: row.row_id,
            correlation_id: row.correlation_id,
            aggregate: "payment",
            id: row.id,
            seen_version: row.version,
            state: state.to_owned(),
            clock: row.clock,
            body: row.body,
            claim: ClaimChange::Release,
            owner: None,
            second_key: None,
            parent: None,
        };
        let changes = Changes {
            rows: vec![change],
            ..Changes::default()
        };
        Ok((changes, ()))
    });
    moved.await.unwrap();
}

#[tokio::test]
async fn an_event_for_a_row_in_a_state_of_a_newer_release_waits_until_the_state_is_known() {
    let (pay, context) = start(&Memory::default(), 50_000);
    request(&pay, &context).await;
    let reception = Reception::new(&context, pay.reactor.unwrap(), EventType::KNOWN);
    let mut cancelled = confirmed(&context.settings);
    cancelled.id = Uuid::from_u128(2);
    cancelled.event_type = EventType::BOOKING_CANCELLED;
    let record = Content::Event(Arc::new(cancelled));

    move_to(&context, "refunded-in-part").await;
    let held = reception.apply(&record).await.unwrap_err();
    let NotReceived::Hopeless(kind, error) = held else {
        panic!("it is tried again: {held:?}");
    };
    assert_eq!(kind, DeadLetterKind::Unknown);
    assert!(error.contains("refunded-in-part"), "{error}");
    let row = context.store.load(SAGA).await.unwrap().unwrap();
    assert_eq!(row.state, "refunded-in-part", "it is left as it was");

    move_to(&context, "requested").await;
    assert_eq!(reception.apply(&record).await.unwrap(), Effect::Done);
    assert_eq!(reception.apply(&record).await.unwrap(), Effect::Duplicate);
    let row = context.store.load(SAGA).await.unwrap().unwrap();
    assert_eq!(row.state, "voided");
}

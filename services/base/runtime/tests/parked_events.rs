//! The parked events of a service over HTTP, on a store in memory.

use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request};
use innkeeper_kit::clock::SystemClock;
use innkeeper_kit::store::{Changes, OutboxEvent, Refusal, Scope, StepInput, Store};
use innkeeper_runtime::admin;
use innkeeper_testkit::store::{Memory, MemoryStore};
use serde_json::Value;
use tower::ServiceExt;
use uuid::Uuid;

/// A service two of whose three events are parked.
async fn parked() -> (Router, Arc<dyn Store>, [Uuid; 3]) {
    let store: Arc<dyn Store> =
        Arc::new(MemoryStore::open(Memory::default(), Arc::new(SystemClock)));
    let ids = [1, 2, 3].map(Uuid::from_u128);
    let events = ids.map(|id| OutboxEvent {
        id,
        aggregate_type: "payment".to_owned(),
        aggregate_id: id,
        event_type: "dev.innkeeper.payment.captured.v1".to_owned(),
        version: 1,
        headers: vec![("ce_id".into(), id.to_string())],
        payload: r#"{"id":7}"#.to_owned(),
        event: None,
    });
    let changes = Changes {
        events: events.to_vec(),
        ..Changes::default()
    };
    let stored = store.decide(StepInput::about(Scope::Nothing), move |_| {
        Ok((changes.clone(), ()))
    });
    stored.await.expect("events can be stored");
    let refusals = ids[..2].iter().map(|event_id| Refusal {
        event_id: *event_id,
        reason: "too large".to_owned(),
    });
    let parked = store.park(refusals.collect()).await;
    parked.expect("events can be parked");
    (admin::parked_events::router(Arc::clone(&store)), store, ids)
}

async fn send(router: &Router, method: Method, path: &str) -> (u16, Value) {
    let request = Request::builder().method(method).uri(path);
    let request = request.body(Body::empty()).expect("it is well formed");
    let answer = router.clone().oneshot(request).await;
    let (head, body) = answer.expect("a router always answers").into_parts();
    let body = to_bytes(body, usize::MAX).await.expect("it is all there");
    let body = serde_json::from_slice(&body).unwrap_or_default();
    (head.status.as_u16(), body)
}

async fn listed(router: &Router) -> Vec<String> {
    let (status, list) = send(router, Method::GET, "/parked-events?after=0&limit=1").await;
    assert_eq!(status, 200);
    let items = list["items"].as_array().expect("it is a list");
    let ids = items.iter().filter_map(|item| item["id"].as_str());
    ids.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn a_parked_event_is_listed_and_shown_with_its_reason() {
    let (router, _, [first, second, waiting]) = parked().await;

    let expected = [first, second].map(|id| id.to_string());
    assert_eq!(listed(&router).await, expected);
    let (status, shown) = send(&router, Method::GET, &format!("/parked-events/{first}")).await;
    assert_eq!((status, &shown["error"]), (200, &"too large".into()));
    assert_eq!(shown["payload"], r#"{"id":7}"#);
    for query in ["page=1", "after=x", "limit=0"] {
        let path = format!("/parked-events?{query}");
        let (status, problem) = send(&router, Method::GET, &path).await;
        let detail = problem["detail"].as_str().unwrap_or_default();
        assert!(
            status == 422 && detail.contains("after and limit"),
            "{problem}"
        );
    }
    for unknown in [waiting.to_string(), "1".to_owned()] {
        let path = format!("/parked-events/{unknown}");
        assert_eq!(send(&router, Method::GET, &path).await.0, 404);
    }
    let behind = format!("/parked-events?after={}", i64::MAX);
    let (_, behind) = send(&router, Method::GET, &behind).await;
    assert_eq!(behind["items"], Value::Array(Vec::new()));
}

#[tokio::test]
async fn a_replayed_event_waits_to_be_sent_and_a_discarded_one_is_gone() {
    let (router, store, [first, second, waiting]) = parked().await;

    let path = format!("/parked-events/{first}/replay");
    assert_eq!(send(&router, Method::POST, &path).await.0, 200);
    assert_eq!(send(&router, Method::POST, &path).await.0, 404);
    let path = format!("/parked-events/{second}");
    assert_eq!(send(&router, Method::DELETE, &path).await.0, 204);
    assert_eq!(send(&router, Method::DELETE, &path).await.0, 404);

    assert!(listed(&router).await.is_empty());
    let left = store.load_unpublished(None, 10).await;
    let left = left.expect("the store works").into_iter();
    let left: Vec<Uuid> = left.map(|event| event.id).collect();
    assert_eq!(left, [first, waiting]);
}

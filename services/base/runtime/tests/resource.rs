//! A list with a row that this release cannot read.

use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use http_body_util::BodyExt;
use innkeeper_kit::CrashPlan;
use innkeeper_kit::Failure;
use innkeeper_kit::clock::SystemClock;
use innkeeper_kit::store::{
    Changes, ClaimChange, Row, RowChange, Scope, StepInput, Store, StoreError,
};
use innkeeper_runtime::client::Client;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::edge;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::resource::{Item, Resource, Routes};
use innkeeper_testkit::store::{Memory, MemoryStore};
use serde_json::{Map, Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// The public id of the row that cannot be read.
const STRANGE: i64 = 2;

struct Things;

impl Resource for Things {
    fn show(&self, row: &Row) -> Result<Option<Item>, Failure> {
        if row.id == Some(STRANGE) {
            return Err(StoreError::Unknown("it is in the state \"paused\"".into()).into());
        }
        Ok(row.id.map(|id| Item {
            id,
            fields: Map::from_iter([("id".to_owned(), id.into())]),
        }))
    }
}

fn row(id: i64) -> RowChange {
    let saga = Uuid::now_v7();
    RowChange {
        row_id: saga,
        correlation_id: saga,
        aggregate: "thing",
        id: Some(id),
        seen_version: 0,
        state: "paused".to_owned(),
        clock: 1,
        body: "{}".to_owned(),
        claim: ClaimChange::Release,
        owner: None,
        second_key: None,
        parent: None,
    }
}

/// A service with three rows, of which one cannot be read.
async fn things(metrics: &Metrics) -> Router {
    let store: Arc<dyn Store> =
        Arc::new(MemoryStore::open(Memory::default(), Arc::new(SystemClock)));
    let stored = store.decide(StepInput::about(Scope::Nothing), |_| {
        let changes = Changes {
            rows: (1..=3).map(row).collect(),
            ..Changes::default()
        };
        Ok((changes, ()))
    });
    stored.await.expect("rows can be stored");
    let settings = json!({
        "namespace": "default", "platform": "rentcar", "service": "things", "path": "/things",
        "component": { "payment": {} },
    });
    let context = Context {
        settings: Arc::new(serde_json::from_value(settings).expect("these are settings")),
        store,
        clock: Arc::new(SystemClock),
        client: Client::new(),
        crash: CrashPlan::default(),
        process: Uuid::now_v7(),
        tasks: Lifecycle::new(),
    };
    let router = Routes::new(&context, Arc::new(Things)).router();
    edge::around(router, metrics.clone())
}

async fn asked(router: &Router, path: &str) -> (StatusCode, Value) {
    let request = Request::get(path).body(Body::empty());
    let request = request.expect("the request is well formed");
    let answer = router.clone().oneshot(request).await;
    let (head, body) = answer.expect("a router always answers").into_parts();
    let body = body.collect().await.expect("the body is all there");
    let body = serde_json::from_slice(&body.to_bytes()).expect("the answer is JSON");
    (head.status, body)
}

#[tokio::test]
async fn a_row_that_cannot_be_read_is_left_out_of_its_page_and_counted() {
    let metrics = Metrics::new("rentcar", "things");
    let things = things(&metrics).await;

    let (status, page) = asked(&things, "/things").await;

    assert_eq!(status, StatusCode::OK);
    let items = page["_embedded"]["things"].as_array();
    let ids: Vec<&Value> = items.into_iter().flatten().map(|it| &it["id"]).collect();
    assert_eq!(ids, [1, 3], "{page}");
    let series = r#"innkeeper_rows_unreadable_total{platform="rentcar",service="things"} 1"#;
    assert!(metrics.render().contains(series), "{}", metrics.render());
}

#[tokio::test]
async fn pages_go_on_behind_a_row_that_cannot_be_read() {
    let things = things(&Metrics::new("rentcar", "things")).await;
    let (mut next, mut ids) = (Some("/things?size=1".to_owned()), Vec::new());

    while let Some(path) = next {
        let (_, page) = asked(&things, &path).await;
        let items = page["_embedded"]["things"].as_array();
        ids.extend(items.into_iter().flatten().map(|it| it["id"].clone()));
        let link = page["_links"]["next"]["href"].as_str();
        next = link.map(ToOwned::to_owned);
    }

    assert_eq!(ids, [1, 3]);
}

#[tokio::test]
async fn a_row_that_cannot_be_read_says_so_when_it_is_asked_for() {
    let things = things(&Metrics::new("rentcar", "things")).await;

    let (status, problem) = asked(&things, "/things/2").await;

    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
    let says = problem.to_string();
    assert!(says.contains("cannot be read by this release"), "{says}");
    assert!(says.contains("paused"), "{says}");
}

//! What the RFCs say of a resource: preconditions, media types, queries and spellings.

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use innkeeper_contracts::EventType;
use innkeeper_contracts::calls::AUTHORIZATIONS;
use innkeeper_kit::store::Query;
use serde_json::json;
use tower::ServiceExt;
use uuid::Uuid;

use crate::given::{Service, event, service};

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: String,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value.map_or("", |value| value.to_str().unwrap())
    }

    fn says(&self, text: &str) -> bool {
        self.body.contains(text)
    }
}

/// Sends a request with these headers; what has no `content-type` among them is sent without.
async fn send(
    service: &Service,
    (method, path): (&str, &str),
    headers: &[(&str, &str)],
    body: &str,
) -> Answer {
    let request = Request::builder().method(method).uri(path);
    let request = headers
        .iter()
        .fold(request, |it, (name, value)| it.header(*name, *value));
    let request = request.body(Body::from(body.to_owned())).unwrap();
    let answer = service.component.router.clone().oneshot(request).await;
    let (head, body) = answer.unwrap().into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap();
    Answer {
        status: head.status,
        headers: head.headers,
        body: String::from_utf8(body.to_vec()).unwrap(),
    }
}

const ITEM: (&str, &str) = ("GET", "/things/1");
const CHANGE: (&str, &str) = ("PATCH", "/things/1");
const MERGE: (&str, &str) = ("content-type", "application/merge-patch+json");

/// A payment service with one authorized payment, which is captured by hand.
async fn with_payment() -> Service {
    let settings = json!({ "payment": {
        "bookings": ["reservation"],
        "capture": "Manual",
        "words": { "fields": { "amount": "price", "booking": "reservationId" } },
    } });
    let service = service(&settings);
    let snapshot = json!({ "amount": 500, "ids": { "booking": 7 } });
    let call = json!({ "correlationId": Uuid::nil(), "clock": 1, "snapshot": snapshot });
    let (status, _) = service.send(Method::POST, AUTHORIZATIONS, &call).await;
    assert_eq!(status, StatusCode::OK);
    service
}

#[tokio::test]
async fn a_tag_is_of_what_is_shown_and_not_of_what_is_written_inside() {
    let service = with_payment().await;
    let before = send(&service, ITEM, &[], "").await;
    assert!(before.header("etag").starts_with('"'), "a strong tag");

    // The payment notes that its booking is confirmed, which nobody sees.
    service
        .react(&event("reservation", EventType::BOOKING_CONFIRMED, 3))
        .await;
    let after = send(&service, ITEM, &[], "").await;
    assert_eq!(after.header("etag"), before.header("etag"));

    let seen = [("if-match", before.header("etag"))];
    let captured = send(&service, CHANGE, &seen, r#"{"status":"captured"}"#).await;
    assert_eq!(captured.status, StatusCode::OK);
    assert_ne!(captured.header("etag"), before.header("etag"));
    let now = send(&service, ITEM, &[], "").await;
    assert_eq!(
        (now.header("etag"), &now.body),
        (captured.header("etag"), &captured.body)
    );
}

#[tokio::test]
async fn a_get_is_answered_by_its_preconditions() {
    let service = with_payment().await;
    for path in ["/things/1", "/things"] {
        let tag = send(&service, ("GET", path), &[], "").await;
        let (tag, weak) = (
            tag.header("etag").to_owned(),
            format!("W/{}", tag.header("etag")),
        );
        let lists = format!("\"1\", {weak}");
        for (name, value, expected) in [
            ("if-none-match", tag.as_str(), 304),
            ("if-none-match", &weak, 304),
            ("if-none-match", &lists, 304),
            ("if-none-match", "*", 304),
            ("if-none-match", "\"1\", \"2\"", 200),
            ("if-match", &tag, 200),
            ("if-match", "*", 200),
            ("if-match", &weak, 412),
            ("if-match", "\"1\", \"2\"", 412),
        ] {
            for method in ["GET", "HEAD"] {
                let answer = send(&service, (method, path), &[(name, value)], "").await;
                assert_eq!(answer.status, expected, "{method} {path} {name}: {value}");
                if expected == 304 {
                    assert_eq!(
                        (answer.header("etag"), answer.body.as_str()),
                        (tag.as_str(), "")
                    );
                }
            }
        }
    }
    let none = send(&service, ("GET", "/things/2"), &[("if-match", "*")], "").await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_patch_is_judged_on_the_row_that_it_changes() {
    let service = with_payment().await;
    let tag = send(&service, ITEM, &[], "")
        .await
        .header("etag")
        .to_owned();
    let lines = [("if-match", "\"1\""), ("if-match", tag.as_str())];
    let body = r#"{"status":"captured"}"#;
    for refused in [
        &[("if-match", "\"1\"")][..],
        &[("if-match", "W/\"1\"")],
        &[("if-none-match", "*")],
        &[("if-none-match", tag.as_str())],
        &[("if-match", tag.as_str()), ("if-none-match", tag.as_str())],
    ] {
        let answer = send(&service, CHANGE, refused, body).await;
        assert_eq!(
            answer.status,
            StatusCode::PRECONDITION_FAILED,
            "{refused:?}"
        );
        let unknown = send(&service, ("PATCH", "/things/9"), refused, body).await;
        assert_eq!(unknown.status, StatusCode::NOT_FOUND, "404 comes first");
        let mut headers = refused.to_vec();
        headers.push(("content-type", "text/plain"));
        let wrong = send(&service, CHANGE, &headers, body).await;
        assert_eq!(
            wrong.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "415 comes first"
        );
    }
    assert_eq!(service.states().await, ["authorized"]);
    let answer = send(&service, CHANGE, &lines, body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(service.states().await, ["captured"]);
}

#[tokio::test]
async fn nothing_in_a_merge_patch_is_ignored() {
    let service = with_payment().await;
    for ignored in ["price", "colour", "reservationId", "_links"] {
        let body = format!(r#"{{"status":"captured","{ignored}":1}}"#);
        let answer = send(&service, CHANGE, &[MERGE], &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert!(answer.says(&format!("\"/{ignored}\"")), "{}", answer.body);
        let body = format!(r#"{{"status":"captured","{ignored}":null}}"#);
        let answer = send(&service, CHANGE, &[MERGE], &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
    }
    let answer = send(&service, CHANGE, &[MERGE], r#"{"status":null}"#).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(service.states().await, ["authorized"]);

    let shown = send(&service, ITEM, &[], "").await;
    for same in ["{}", "{\"price\":500}", shown.body.as_str()] {
        let answer = send(&service, CHANGE, &[MERGE], same).await;
        assert_eq!(
            (answer.status, answer.body),
            (StatusCode::OK, shown.body.clone()),
            "{same}"
        );
    }
    let captured = shown.body.replace("authorized", "captured");
    let answer = send(&service, CHANGE, &[MERGE], &captured).await;
    assert_eq!((answer.status, answer.body), (StatusCode::OK, captured));
}

#[tokio::test]
async fn other_media_types_and_codings_are_refused_and_options_names_those_that_are_taken() {
    let service = with_payment().await;
    let body = r#"{"status":"captured"}"#;
    for media_type in [
        "application/json-patch+json",
        "text/plain",
        "application/hal+json",
    ] {
        let answer = send(&service, CHANGE, &[("content-type", media_type)], body).await;
        assert_eq!(
            answer.status,
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{media_type}"
        );
        assert!(
            answer
                .header("accept-patch")
                .contains("application/merge-patch+json")
        );
    }
    let answer = send(&service, CHANGE, &[("content-encoding", "gzip")], body).await;
    assert_eq!(answer.status, StatusCode::UNSUPPORTED_MEDIA_TYPE);
    assert_eq!(answer.header("accept-encoding"), "identity");
    assert_eq!(service.states().await, ["authorized"]);

    let options = send(&service, ("OPTIONS", "/things/1"), &[], "").await;
    assert_eq!(options.status, StatusCode::NO_CONTENT);
    assert_eq!(options.header("allow"), "GET,HEAD,PATCH");
    assert!(
        options
            .header("accept-patch")
            .starts_with("application/json, ")
    );
    let list = send(&service, ("OPTIONS", "/things"), &[], "").await;
    assert_eq!(
        (list.header("allow"), list.header("accept-patch")),
        ("GET,HEAD", "")
    );
    let without = send(&service, CHANGE, &[], body).await;
    assert_eq!(
        without.status,
        StatusCode::OK,
        "no media type counts as JSON"
    );
}

#[tokio::test]
async fn an_id_has_one_spelling_and_no_parameter_is_ignored() {
    let service = with_payment().await;
    for id in [r#""08""#, r#""+1""#, r#"" 1 ""#, "1.0", "true"] {
        for name in ["id", "reservationId"] {
            let body = format!(r#"{{"status":"captured","{name}":{id}}}"#);
            let answer = send(&service, CHANGE, &[], &body).await;
            assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        }
    }
    let changed = send(&service, ("PATCH", "/things/1?dryRun=true"), &[], "{}").await;
    assert_eq!(changed.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert!(
        changed.says("there are no parameters here"),
        "{}",
        changed.body
    );
    for path in [
        "/things/01",
        "/things/+1",
        "/things/1.0",
        "/things/%201",
        "/things/1%2F",
        "/things/%FF",
    ] {
        let answer = send(&service, ("GET", path), &[], "").await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    for path in [
        "/things?page=1",
        "/things?size=1&size=2",
        "/things?size=x",
        "/things/1?sort=id",
    ] {
        let answer = send(&service, ("GET", path), &[], "").await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
    }
    assert!(
        send(&service, ("GET", "/things?page=1"), &[], "")
            .await
            .says("after and size")
    );
}

#[tokio::test]
async fn an_answer_to_a_post_carries_the_tag_of_its_body_also_when_it_is_replayed() {
    let service = service(&json!({ "booking": {} }));
    let key = [("idempotency-key", "kim-1")];
    let first = send(&service, ("POST", "/things"), &key, r#"{"customer":"kim"}"#).await;
    assert_eq!(first.status, StatusCode::CREATED);
    let read = send(&service, ITEM, &[], "").await;
    assert_eq!(
        (read.header("etag"), &read.body),
        (first.header("etag"), &first.body)
    );

    let cancelled = send(&service, CHANGE, &[], r#"{"status":"cancelled"}"#).await;
    assert_ne!(cancelled.header("etag"), first.header("etag"));
    let again = send(&service, ("POST", "/things"), &key, r#"{"customer":"kim"}"#).await;
    assert_eq!(
        (again.header("etag"), &again.body),
        (first.header("etag"), &first.body)
    );

    let twice = [("idempotency-key", "kim-2"), ("idempotency-key", "kim-2")];
    let refused = send(&service, ("POST", "/things"), &twice, "{}").await;
    assert_eq!(refused.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn the_row_of_a_call_belongs_to_the_principal_for_whom_it_is_made() {
    let service = service(&json!({ "payment": { "bookings": ["reservation"] } }));
    let call = json!({ "correlationId": Uuid::nil(), "clock": 1, "snapshot": {} }).to_string();
    let headers = [("innkeeper-principal", "kim")];
    let answer = send(&service, ("POST", AUTHORIZATIONS), &headers, &call).await;
    assert_eq!(answer.status, StatusCode::OK);
    let patch = [("innkeeper-principal", "lee")];
    send(&service, CHANGE, &patch, r#"{"status":"captured"}"#).await;

    let rows = service
        .context
        .store
        .list(Query::page(0, 10))
        .await
        .unwrap();
    let owners: Vec<_> = rows.iter().map(|row| row.owner.as_deref()).collect();
    assert_eq!(owners, [Some("kim")], "whoever changes it later");
    assert_eq!(service.states().await, ["captured"]);
}

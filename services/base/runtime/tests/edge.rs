//! The edge around every handler, in process.

use std::convert::Infallible;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::http::{Method, Response, StatusCode};
use axum::routing::{get, post};
use http_body_util::{BodyExt, StreamBody};
use hyper::body::Frame;
use innkeeper_kit::Rejection;
use innkeeper_kit::rejection::Fault;
use innkeeper_kit::store::StoreError;
use innkeeper_runtime::edge::{self, MAX_BODY_BYTES};
use innkeeper_runtime::json::JsonBody;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::problem::{MEDIA_TYPE, Problem};
use innkeeper_runtime::request::RequestContext;
use serde_json::Value;
use tower::ServiceExt;

async fn take(body: JsonBody<Value>) -> String {
    body.0.to_string()
}

#[expect(clippy::panic, reason = "the edge is to catch it")]
async fn panics() {
    panic!("on purpose");
}

async fn context(context: RequestContext) -> String {
    let millis = context.remaining(Duration::from_mins(1)).as_millis();
    format!("{} {} {millis}", context.traceparent, context.request_id)
}

fn service(metrics: &Metrics) -> Router {
    let routes = Router::new()
        .route("/rows", get("rows").post(take))
        .route("/rows/{id}", get("row"))
        .route("/panics", get(panics))
        .route("/raw", post(async |body: Bytes| body.len().to_string()))
        .route("/context", get(context));
    edge::around(routes, metrics.clone())
}

async fn answer(request: Request) -> Response<Bytes> {
    answer_of(&Metrics::new("p", "s"), request).await
}

async fn answer_of(metrics: &Metrics, request: Request) -> Response<Bytes> {
    let response = service(metrics).oneshot(request).await;
    let (parts, body) = response.expect("a router always answers").into_parts();
    let body = body.collect().await.expect("the body is all there");
    Response::from_parts(parts, body.to_bytes())
}

fn request(method: Method, path: &str) -> Request {
    let request = Request::builder().method(method).uri(path);
    request
        .body(Body::empty())
        .expect("the request is well formed")
}

fn posted(path: &str, media_type: Option<&str>, body: impl Into<Body>) -> Request {
    let mut request = Request::builder().method(Method::POST).uri(path);
    if let Some(media_type) = media_type {
        request = request.header("content-type", media_type);
    }
    request
        .body(body.into())
        .expect("the request is well formed")
}

fn problem_of(response: &Response<Bytes>) -> Problem {
    assert_eq!(response.headers()["content-type"], MEDIA_TYPE);
    let problem: Problem = serde_json::from_slice(response.body()).expect("the body is a problem");
    assert_eq!(problem.status, response.status().as_u16());
    if let Some(length) = response.headers().get("content-length") {
        assert_eq!(length, &response.body().len().to_string());
    }
    problem
}

#[tokio::test]
async fn an_unknown_path_is_a_problem() {
    let response = answer(request(Method::GET, "/nowhere")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
    assert!(problem_of(&response).detail.unwrap().contains("/nowhere"));
}

#[tokio::test]
async fn an_unknown_method_is_a_problem_that_says_what_is_allowed() {
    for method in [Method::DELETE, Method::from_bytes(b"BREW").unwrap()] {
        let response = answer(request(method, "/rows")).await;
        assert_eq!(response.status(), StatusCode::METHOD_NOT_ALLOWED);
        assert_eq!(response.headers()["allow"], "GET,HEAD,POST");
        problem_of(&response);
    }
}

#[tokio::test]
async fn options_says_what_is_allowed() {
    let response = answer(request(Method::OPTIONS, "/rows")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    assert_eq!(response.headers()["allow"], "GET,HEAD,POST");
    assert!(response.body().is_empty());
}

#[tokio::test]
async fn options_of_the_server_is_answered_and_of_nothing_is_404() {
    let response = answer(request(Method::OPTIONS, "*")).await;
    assert_eq!(response.status(), StatusCode::NO_CONTENT);
    let response = answer(request(Method::OPTIONS, "/nowhere")).await;
    assert_eq!(response.status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn head_is_get_without_the_body() {
    let response = answer(request(Method::HEAD, "/rows")).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert_eq!(response.headers()["content-length"], "4");
    assert!(response.body().is_empty());
}

#[tokio::test]
async fn a_handler_that_panics_is_a_problem() {
    let response = answer(request(Method::GET, "/panics")).await;
    assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    assert!(!String::from_utf8_lossy(response.body()).contains("on purpose"));
    problem_of(&response);
}

#[tokio::test]
async fn json_is_taken_under_each_of_its_names() {
    for media_type in [
        None,
        Some("application/json"),
        Some("Application/JSON; charset=utf-8"),
        Some("application/hal+json"),
    ] {
        let response = answer(posted("/rows", media_type, r#"{"a":1}"#)).await;
        assert_eq!(response.status(), StatusCode::OK, "{media_type:?}");
        assert_eq!(response.body(), r#"{"a":1}"#);
    }
}

#[tokio::test]
async fn another_type_of_body_is_415() {
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/merge-patch+json",
        "+json",
        "",
    ] {
        let response = answer(posted("/rows", Some(media_type), r#"{"a":1}"#)).await;
        assert_eq!(
            response.status(),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "{media_type}"
        );
        problem_of(&response);
    }
}

#[tokio::test]
async fn what_is_not_json_is_400() {
    for body in ["", "{", r#"{"productId":"2",, }"#, "\u{0}"] {
        let response = answer(posted("/rows", None, body)).await;
        assert_eq!(response.status(), StatusCode::BAD_REQUEST, "{body}");
        problem_of(&response);
    }
}

/// A body of unknown length.
fn pieces(count: usize) -> Body {
    let piece = |_| Ok::<_, Infallible>(Frame::data(Bytes::from(vec![b'1'; MAX_BODY_BYTES / 4])));
    Body::new(StreamBody::new(futures::stream::iter(
        (0..count).map(piece),
    )))
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_413_for_every_handler() {
    for path in ["/rows", "/raw"] {
        for body in [pieces(5), Body::from(vec![b'1'; MAX_BODY_BYTES + 1])] {
            let response = answer(posted(path, None, body)).await;
            assert_eq!(response.status(), StatusCode::PAYLOAD_TOO_LARGE, "{path}");
            problem_of(&response);
        }
        let response = answer(posted("/raw", None, pieces(4))).await;
        assert_eq!(response.body(), &MAX_BODY_BYTES.to_string());
    }
}

#[tokio::test(start_paused = true)]
async fn a_body_that_does_not_come_is_408() {
    let never = futures::stream::pending::<Result<Frame<Bytes>, Infallible>>();
    let response = answer(posted("/rows", None, Body::new(StreamBody::new(never)))).await;
    assert_eq!(response.status(), StatusCode::REQUEST_TIMEOUT);
    problem_of(&response);
}

#[tokio::test]
async fn a_request_keeps_its_id_and_trace_and_deadline() {
    let mut request = request(Method::GET, "/context");
    for (name, value) in [
        ("x-request-id", "mine"),
        ("innkeeper-timeout-ms", "30000"),
        (
            "traceparent",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ),
    ] {
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    let response = answer(request).await;
    assert_eq!(response.headers()["x-request-id"], "mine");
    let body = String::from_utf8_lossy(response.body());
    let [trace, id, millis] = body.split(' ').collect::<Vec<_>>().try_into().unwrap();
    assert!(trace.starts_with("00-4bf92f3577b34da6a3ce929d0e0e4736-"));
    assert_eq!(id, "mine");
    let millis: u64 = millis.parse().unwrap();
    assert!((20_000..=30_000).contains(&millis), "{millis}");
}

#[tokio::test]
async fn a_request_without_id_and_trace_gets_them() {
    let mut broken = request(Method::GET, "/context");
    for name in ["x-request-id", "innkeeper-timeout-ms", "traceparent"] {
        broken
            .headers_mut()
            .insert(name, "not this one".parse().unwrap());
    }
    for request in [request(Method::GET, "/context"), broken] {
        let response = answer(request).await;
        let body = String::from_utf8_lossy(response.body());
        let [trace, id, millis] = body.split(' ').collect::<Vec<_>>().try_into().unwrap();
        assert_eq!(trace.len(), 55);
        assert_eq!(id.len(), 32);
        assert_eq!(response.headers()["x-request-id"], id);
        assert_eq!(millis, "60000");
    }
}

#[tokio::test]
async fn requests_are_counted_by_route_and_nobody_can_make_up_a_series() {
    let metrics = Metrics::new("p", "s");
    for path in ["/rows/1", "/rows/2", "/nowhere/1", "/nowhere/2"] {
        answer_of(&metrics, request(Method::GET, path)).await;
    }
    answer_of(
        &metrics,
        request(Method::from_bytes(b"BREW").unwrap(), "/rows"),
    )
    .await;
    let text = metrics.render();
    for series in [
        r#"method="GET",platform="p",route="/rows/{id}",service="s",status="200"} 2"#,
        r#"method="GET",platform="p",route="none",service="s",status="404"} 2"#,
        r#"method="other",platform="p",route="/rows",service="s",status="405"} 1"#,
    ] {
        let series = format!("innkeeper_http_requests_total{{{series}");
        assert!(text.contains(&series), "{series} is not in {text}");
    }
}

#[test]
fn each_rejection_has_its_status() {
    let retry_after_seconds = 7;
    let service = "pay".to_owned();
    let invalid = Rejection::invalid("/amount", "must be a number");
    for (rejection, status, retry_after) in [
        (invalid, 422, None),
        (Rejection::NotFound, 404, None),
        (Rejection::Conflict("it is cancelled".into()), 409, None),
        (Rejection::PaymentRequired("declined".into()), 402, None),
        (
            Rejection::InFlight {
                retry_after_seconds,
            },
            409,
            Some(7),
        ),
        (Rejection::PreconditionFailed, 412, None),
        (
            Rejection::Unavailable {
                service,
                retry_after_seconds,
            },
            503,
            Some(7),
        ),
    ] {
        let problem = Problem::from(rejection.clone());
        assert_eq!(
            (problem.status, problem.retry_after),
            (status, retry_after),
            "{rejection:?}"
        );
    }
}

#[tokio::test]
async fn a_problem_lists_every_fault_and_says_when_to_come_back() {
    let fault = |pointer: &str| Fault {
        pointer: pointer.into(),
        detail: "is missing".into(),
    };
    let problem = Problem::from(Rejection::Invalid(vec![fault("/a"), fault("/b")]));
    let json = serde_json::to_value(problem).unwrap();
    assert_eq!(json["type"], "about:blank");
    assert_eq!(json["errors"][1]["pointer"], "/b");
    let problem = Problem::from(StoreError::Closed);
    let response = axum::response::IntoResponse::into_response(problem);
    assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(response.headers()["retry-after"], "1");
}

#[test]
fn a_failed_store_does_not_show_its_insides() {
    let error = StoreError::Failed("password of db1 is wrong".into());
    let problem = Problem::from(error);
    assert_eq!(problem.status, 500);
    assert!(!serde_json::to_string(&problem).unwrap().contains("db1"));
}

//! What the admin API shows, and what it does not: settings, probes, metrics.

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::StatusCode;
use http_body_util::BodyExt;
use innkeeper_contracts::ServiceSettings;
use innkeeper_kit::transport::Transport;
use innkeeper_runtime::admin;
use innkeeper_runtime::health::Health;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::metrics::names::{self, Metric};
use innkeeper_runtime::problem::{self, Problem};
use innkeeper_runtime::transport::{TransportDisplay, Transports};
use jiff::Timestamp;
use serde_json::{Value, json};
use tower::ServiceExt;

async fn asked(router: &Router, path: &str) -> (StatusCode, String) {
    let request = Request::get(path)
        .body(Body::empty())
        .expect("the request is well formed");
    let response = router
        .clone()
        .oneshot(request)
        .await
        .expect("a router always answers");
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .expect("the body is all there")
        .to_bytes();
    (
        status,
        String::from_utf8(body.to_vec()).expect("the body is text"),
    )
}

/// Settings with everything in them that can be told, and with what must not be.
fn settings() -> ServiceSettings {
    serde_json::from_value(json!({
        "namespace": "default", "platform": "rentcar", "service": "pay", "path": "/pays",
        "component": { "booking": { "payment": {
            "service": "till", "address": "http://kim:s3cret@till:8080", "when": "Later", "timeoutMs": 1,
        } } },
        "database": { "postgres": {
            "host": "db", "database": "d", "schema": "s", "credentialsDir": "/etc/innkeeper/database",
        } },
        "log": { "kafka": { "bootstrapServers": "kim:s3cret@kafka:9092", "topic": "t", "group": "g" } },
        "config": {
            "DATABASE_URL": "postgres://kim:s3cret@db", "DB_PWD": "s3cret", "PASSPHRASE": "s3cret",
            "PLAIN": "s3cret", "ZONE": "2",
        },
    }))
    .expect("these are settings")
}

fn admin_of(health: Health, metrics: Metrics, settings: &ServiceSettings) -> Router {
    let transports = Transports::new(&metrics);
    admin::router(health, metrics, settings, transports)
}

async fn shown(settings: &ServiceSettings) -> Value {
    let lifecycle = Lifecycle::new();
    let admin = admin_of(Health::new(&lifecycle), Metrics::new("p", "s"), settings);
    let nested = Router::new().nest("/pay", admin);
    let (status, body) = asked(&nested, "/pay/settings").await;
    assert_eq!(status, StatusCode::OK);
    serde_json::from_str(&body).expect("settings are JSON")
}

#[tokio::test]
async fn the_settings_in_force_name_a_users_values_and_show_none() {
    let shown = shown(&settings()).await;
    let text = shown.to_string();
    assert!(!text.contains("s3cret") && !text.contains("kim"), "{text}");
    let config = &shown["config"];
    let names = ["DATABASE_URL", "DB_PWD", "PASSPHRASE", "PLAIN", "ZONE"];
    assert_eq!(config["env"], json!(names));
    assert_eq!(config.as_object().unwrap().len(), 2, "{config}");
}

#[tokio::test]
async fn the_settings_in_force_tell_what_is_no_secret() {
    let shown = shown(&settings()).await;
    assert_eq!(shown["namespace"], "default");
    assert_eq!(shown["incarnation"], 1);
    assert_eq!(shown["drainSeconds"], 20);
    assert_eq!(shown["database"]["postgres"]["host"], "db");
    assert_eq!(shown["log"]["kafka"]["bootstrapServers"], "***@kafka:9092");
    let address = &shown["component"]["booking"]["payment"]["address"];
    assert_eq!(address, "http://***@till:8080");
}

#[tokio::test]
async fn the_settings_in_force_tell_how_connections_are_protected() {
    let metrics = Metrics::new("p", "s");
    let transports = Transports::new(&metrics);
    let health = Health::new(&Lifecycle::new());
    let admin = admin::router(health, metrics.clone(), &settings(), transports.clone());
    let shown = async || {
        let (_, body) = asked(&admin, "/settings").await;
        serde_json::from_str::<Value>(&body).unwrap()["transport"].clone()
    };
    assert_eq!(shown().await, Value::Null);
    let display = TransportDisplay::of("kafka", &names::KAFKA_TLS, &metrics, &transports);
    display.show(Transport {
        is_encrypted: true,
        server_certificate_ends: Some(Timestamp::UNIX_EPOCH),
        client_certificate_ends: None,
    });
    let expected =
        json!({ "kafka": { "tls": true, "serverCertificateEnds": "1970-01-01T00:00:00Z" } });
    assert_eq!(shown().await, expected);
}

#[tokio::test]
async fn the_hash_tells_whether_values_are_others() {
    let mut settings = settings();
    let first = shown(&settings).await["config"]["hash"].clone();
    assert_eq!(first.as_str().map(str::len), Some(10));
    assert_eq!(shown(&settings).await["config"]["hash"], first);
    settings.config.insert("ZONE".to_owned(), "3".to_owned());
    assert_ne!(shown(&settings).await["config"]["hash"], first);
    settings.config.clear();
    assert_eq!(shown(&settings).await.get("config"), None);
}

#[tokio::test]
async fn no_answer_shows_a_password() {
    let lifecycle = Lifecycle::new();
    let health = Health::new(&lifecycle);
    health.unmet("log", "no broker at kim:s3cret@kafka:9092 answers");
    let admin = admin_of(health, Metrics::new("p", "s"), &settings());
    let (_, body) = asked(&admin, "/readyz").await;
    assert!(
        body.contains("no broker at ***@kafka:9092 answers"),
        "{body}"
    );
    let problem = Problem::of(StatusCode::BAD_GATEWAY).detail("http://kim:s3cret@pay is away");
    assert_eq!(problem.detail.as_deref(), Some("http://***@pay is away"));
    let cause = std::io::Error::other("cannot resolve kim:s3cret@db");
    assert_eq!(problem::causes(&cause), "cannot resolve ***@db");
}

#[tokio::test]
async fn the_probes_say_what_is_missing() {
    let lifecycle = Lifecycle::new();
    let health = Health::new(&lifecycle);
    let admin = admin_of(health.clone(), Metrics::new("p", "s"), &settings());
    let unavailable = StatusCode::SERVICE_UNAVAILABLE;
    assert_eq!(asked(&admin, "/livez").await.0, StatusCode::OK);
    assert_eq!(asked(&admin, "/startupz").await.0, unavailable);
    health.started();
    assert_eq!(asked(&admin, "/startupz").await.0, StatusCode::OK);
    assert_eq!(asked(&admin, "/readyz").await.0, unavailable);
    health.ready(true);
    assert_eq!(asked(&admin, "/readyz").await.0, StatusCode::OK);
    health.unmet("database", "it does not answer");
    let (status, body) = asked(&admin, "/readyz").await;
    assert_eq!(status, unavailable);
    assert!(
        body.contains(r#""database":"it does not answer""#),
        "{body}"
    );
    health.met("database");
    assert_eq!(asked(&admin, "/readyz").await.0, StatusCode::OK);
    lifecycle.leave();
    assert_eq!(asked(&admin, "/readyz").await.0, unavailable);
    assert_eq!(asked(&admin, "/livez").await.0, StatusCode::OK);
    assert_eq!(asked(&admin, "/startupz").await.0, StatusCode::OK);
}

#[tokio::test]
async fn a_series_exists_from_the_start() {
    let lifecycle = Lifecycle::new();
    let metrics = Metrics::new("p", "s");
    let handled = Metric {
        name: "innkeeper_test_total",
        help: "A test.",
        labels: &["outcome"],
    };
    metrics.counters(&handled).with_label_values(&["done"]);
    let admin = admin_of(Health::new(&lifecycle), metrics, &settings());
    let (_, body) = asked(&admin, "/metrics").await;
    let series = r#"innkeeper_test_total{outcome="done",platform="p",service="s"} 0"#;
    assert!(body.contains(series), "{body}");
}

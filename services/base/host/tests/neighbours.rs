//! Services of one process, as `innkeeper dev` starts them.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use innkeeper_contracts::ServiceSettings;
use innkeeper_contracts::settings::{Component, Gateway, Route};
use innkeeper_host::{Launch, Neighbours, Service};
use innkeeper_kit::CrashPlan;
use innkeeper_runtime::client::Client;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::in_time;
use tokio::net::TcpListener;

/// Starts a gateway, the one component that needs no database, in front of other services.
async fn start(neighbours: &Neighbours, routes: Vec<Route>) -> (SocketAddr, Service) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port is free");
    let address = listener.local_addr().expect("the listener is bound");
    let settings = serde_json::json!({
        "namespace": "default", "platform": "rentcar", "service": "gateway", "path": "",
        "component": { "gateway": { "routes": [] } },
    });
    let mut settings: ServiceSettings =
        serde_json::from_value(settings).expect("they are complete");
    settings.component = Component::Gateway(Gateway { routes, cors: None });
    let launch = Launch {
        settings,
        listener: listener.into(),
        backing: None,
        neighbours: neighbours.clone(),
        clock: Arc::new(MockClock::default()),
        crash: CrashPlan::default(),
    };
    let service = Service::start(launch).await;
    (address, service.expect("a gateway starts"))
}

fn route(service: &str, address: SocketAddr) -> Route {
    Route {
        service: service.to_owned(),
        paths: vec![format!("/{service}")],
        address: format!("http://{address}"),
        timeout_ms: 40_000,
    }
}

async fn status(address: SocketAddr, path: &str) -> StatusCode {
    let request = Request::get(format!("http://{address}{path}")).body(Body::empty());
    let request = request.expect("the request is well formed");
    let answered = in_time("the gateway answers", Client::new().send(request)).await;
    answered.expect("the gateway answers").status()
}

#[tokio::test]
async fn a_service_is_called_in_process_from_its_start_until_it_stops() {
    let neighbours = Neighbours::default();
    let away = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (pays, pay) = start(&neighbours, Vec::new()).await;
    let routes = vec![
        route("pays", pays),
        route("rents", away.local_addr().unwrap()),
    ];
    drop(away);
    let (address, gateway) = start(&neighbours, routes).await;

    assert!(neighbours.admit(pays).is_some(), "it is called in process");
    let other = SocketAddr::from((Ipv6Addr::LOCALHOST, pays.port()));
    assert!(neighbours.admit(other).is_some(), "on either family");
    assert_eq!(status(address, "/pays").await, StatusCode::NOT_FOUND);
    assert!(pay.stop(Duration::ZERO).await);

    assert!(neighbours.admit(pays).is_none(), "it has stopped");
    for path in ["/pays", "/rents"] {
        let status = status(address, path).await;
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
    }
    assert!(gateway.stop(Duration::ZERO).await);
}

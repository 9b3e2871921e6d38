//! A component with its store, and requests and events for it.

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Method, Request, StatusCode};
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, EventType, ServiceSettings, Snapshot};
use innkeeper_host::Neighbours;
use innkeeper_host::components::{Constructor, constructor};
use innkeeper_kit::clock::SystemClock;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::Query;
use innkeeper_kit::{Clock, CrashPlan};
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Component;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::edge;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::neighbours::Neighbour;
use innkeeper_testkit::patience::PATIENCE;
use innkeeper_testkit::store::{Memory, MemoryStore};
use serde_json::{Value, json};
use tower::ServiceExt;
use uuid::Uuid;

/// Where the neighbour of a component is, which only this process knows.
pub const NEIGHBOUR: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 1);

/// A component under test.
pub struct Service {
    pub context: Context,
    pub component: Component,
}

/// Makes a component at `/things`, from its settings.
pub fn service(component: &Value) -> Service {
    service_beside(component, &Neighbours::default())
}

/// Makes a component that calls others in this process.
pub fn service_beside(component: &Value, neighbours: &Neighbours) -> Service {
    let settings = json!({
        "namespace": "default", "platform": "rentcar", "service": "thing", "path": "/things",
        "component": component,
    });
    let settings: ServiceSettings = serde_json::from_value(settings).unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let context = Context {
        settings: Arc::new(settings.clone()),
        store: Arc::new(MemoryStore::open(Memory::default(), Arc::clone(&clock))),
        clock,
        client: Client::among(neighbours.clone()),
        crash: CrashPlan::default(),
        process: Uuid::now_v7(),
        tasks: Lifecycle::new(),
    };
    let Constructor::Stateful(make) = constructor(&settings.component) else {
        panic!("it has a database");
    };
    let metrics = Metrics::new("rentcar", "thing");
    let mut component = make(&context, &metrics).unwrap();
    component.router = edge::around(component.router, metrics);
    Service { context, component }
}

/// A neighbour with these routes.
pub fn neighbour(routes: Router) -> Neighbour {
    Neighbour::new(routes, Lifecycle::new(), PATIENCE)
}

impl Service {
    /// Sends a request, and returns status and body of the answer.
    pub async fn send(&self, method: Method, path: &str, body: &Value) -> (StatusCode, Value) {
        let request = request(method, path, body);
        let response = self.component.router.clone().oneshot(request);
        let (parts, body) = response.await.unwrap().into_parts();
        let body = to_bytes(body, usize::MAX).await.unwrap();
        (parts.status, serde_json::from_slice(&body).unwrap())
    }

    pub async fn get(&self, path: &str) -> (StatusCode, Value) {
        self.send(Method::GET, path, &Value::Null).await
    }

    /// Lets the component react to an event.
    pub async fn react(&self, event: &Event) -> Effect {
        let reactor = self.component.reactor.as_ref().unwrap();
        reactor.react(&Arc::new(event.clone())).await.unwrap()
    }

    /// The types of the events that wait in the outbox.
    pub async fn raised(&self) -> Vec<String> {
        let events = self
            .context
            .store
            .load_unpublished(None, 100)
            .await
            .unwrap();
        events.into_iter().map(|event| event.event_type).collect()
    }

    /// The states of all rows.
    pub async fn states(&self) -> Vec<String> {
        let rows = self.context.store.list(Query::page(0, 100)).await.unwrap();
        rows.into_iter().map(|row| row.state).collect()
    }
}

/// A request with a JSON body, unless that is null.
pub fn request(method: Method, path: &str, body: &Value) -> Request<Body> {
    let request = Request::builder().method(method).uri(path);
    let request = request.header("content-type", "application/json");
    let body = if body.is_null() {
        Body::empty()
    } else {
        Body::from(body.to_string())
    };
    request.body(body).unwrap()
}

/// An event of another service about one saga.
pub fn event(service: &str, event_type: EventType, clock: i64) -> Event {
    Event {
        id: Uuid::now_v7(),
        source: EventSource {
            namespace: "default".to_owned(),
            platform: "rentcar".to_owned(),
            incarnation: 1,
            service: service.to_owned(),
        },
        event_type,
        time: SystemClock.now(),
        correlation_id: Uuid::nil(),
        causation_id: None,
        sequence: 1,
        traceparent: None,
        data: EventData {
            id: 1,
            event: String::new(),
            status: "payed".to_owned(),
            unlabelled: false,
            clock,
            snapshot: Snapshot {
                amount: Some(500),
                ..Snapshot::default()
            },
        },
    }
}

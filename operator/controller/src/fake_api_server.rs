//! An API server in memory, for tests of whole reconciliations. It keeps the objects of one
//! namespace as JSON, records the owners of their fields, and refuses requests that no
//! reconciliation makes. It has no admission, no defaults and no garbage collector.

mod fields;
mod store;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, to_bytes};
use axum::extract::{Query, State};
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderName, Request, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::{Json, Router};
use kube::{Client, Resource, ResourceExt as _};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use store::{Answer, Store, Target};

/// The namespace of every object.
pub(crate) const NAMESPACE: &str = "shop";

/// An API server in memory. Its objects are addressed as `deployments/pay`.
#[derive(Clone, Default)]
pub(crate) struct FakeApiServer(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    store: Store,
    /// Every request, such as `PATCH deployments/pay`.
    requests: Vec<String>,
    /// The method and resource of requests that fail, with the code of the answer.
    failures: Vec<(String, StatusCode)>,
}

impl FakeApiServer {
    /// A client of this server.
    pub(crate) fn client(&self) -> Client {
        let router = Router::new().fallback(answer).with_state(self.clone());
        Client::new(router, NAMESPACE)
    }

    /// Creates an object, as somebody other than the operator does.
    pub(crate) fn create<K: Resource<DynamicType = ()> + Serialize>(&self, object: &K) {
        let mut value = json!(object);
        value["apiVersion"] = json!(K::api_version(&()));
        value["kind"] = json!(K::kind(&()));
        let path = format!("{}/{}", K::plural(&()), object.name_any());
        let _ = self.inner().store.create(&path, value);
    }

    /// Changes an object, as a manager other than the operator does.
    pub(crate) fn edit(&self, manager: &str, path: &str, change: impl FnOnce(&mut Value)) {
        let _ = self.inner().store.update(path, manager, change);
    }

    /// Deletes an object, as somebody does.
    pub(crate) fn delete(&self, path: &str) {
        let _ = self.inner().store.delete(path, &Value::Null);
    }

    /// An object; null if there is none.
    pub(crate) fn object(&self, path: &str) -> Value {
        let inner = self.inner();
        inner.store.objects.get(path).cloned().unwrap_or_default()
    }

    /// An object as its type.
    pub(crate) fn read<K: DeserializeOwned>(&self, path: &str) -> K {
        serde_json::from_value(self.object(path)).expect("the object is of this kind")
    }

    /// The names of the objects of a kind, by its plural.
    pub(crate) fn names(&self, plural: &str) -> Vec<String> {
        let inner = self.inner();
        let paths = inner.store.objects.keys();
        let names = paths.filter_map(|it| it.strip_prefix(plural)?.strip_prefix('/'));
        names.map(str::to_owned).collect()
    }

    /// The condition that holds for an object, as `Stalled, NameTaken: its message`.
    pub(crate) fn verdict(&self, path: &str) -> String {
        let object = self.object(path);
        let conditions = object["status"]["conditions"].as_array();
        let mut conditions = conditions.into_iter().flatten();
        let holds = conditions.find(|it| it["status"] == "True");
        holds.map_or_else(String::new, |it| {
            let part = |field: &str| it[field].as_str().unwrap_or_default();
            format!("{}, {}: {}", part("type"), part("reason"), part("message"))
        })
    }

    /// The reasons and notes of the published events.
    pub(crate) fn events(&self) -> Vec<String> {
        let names = self.names("events").into_iter();
        let events = names.map(|name| self.object(&format!("events/{name}")));
        let shown = |event: Value| {
            Some(format!(
                "{}: {}",
                event["reason"].as_str()?,
                event["note"].as_str()?
            ))
        };
        events.filter_map(shown).collect()
    }

    /// Answers requests such as `PATCH domainservices/status` with an error from now on.
    pub(crate) fn fail(&self, request: &str, code: StatusCode) {
        self.inner().failures.push((request.to_owned(), code));
    }

    /// Answers every request again.
    pub(crate) fn recover(&self) {
        self.inner().failures.clear();
    }

    /// The requests since the last call.
    pub(crate) fn take_requests(&self) -> Vec<String> {
        std::mem::take(&mut self.inner().requests)
    }

    /// The requests since the last call, without those that only read.
    pub(crate) fn take_writes(&self) -> Vec<String> {
        let mut requests = self.take_requests();
        requests.retain(|it| !it.starts_with("GET "));
        requests
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

async fn answer(State(server): State<FakeApiServer>, request: Request<Body>) -> Response {
    let (head, body) = request.into_parts();
    let body = to_bytes(body, usize::MAX).await.unwrap_or_default();
    let request = Request::from_parts(head, serde_json::from_slice(&body).unwrap_or_default());
    let (code, answer) = match server.inner().answer(request) {
        Ok(answer) => (StatusCode::OK, answer),
        Err((code, message)) => {
            let reason = code.canonical_reason().unwrap_or_default();
            let status = json!({
                "status": "Failure",
                "code": code.as_u16(),
                "reason": reason.replace(' ', ""),
                "message": message,
            });
            (code, status)
        }
    };
    (code, Json(answer)).into_response()
}

impl Inner {
    fn answer(&mut self, request: Request<Value>) -> Answer {
        let target = Target::of(request.uri().path());
        let method = request.method();
        self.requests.push(format!("{method} {}", target.shown()));
        let resource = format!("{method} {}", target.resource());
        if let Some((_, code)) = self.failures.iter().find(|(it, _)| *it == resource) {
            return Err((*code, format!("{resource} is answered with {code}")));
        }
        let is_of_metadata = header(&request, ACCEPT).contains("as=PartialObjectMetadata");
        let answer = self.act(&target, request)?;
        Ok(if is_of_metadata {
            only_metadata(&answer)
        } else {
            answer
        })
    }

    fn act(&mut self, target: &Target, request: Request<Value>) -> Answer {
        let store = &mut self.store;
        let query = Query::try_from_uri(request.uri()).map(|it| it.0);
        let query = query.unwrap_or_default();
        let content_type = header(&request, CONTENT_TYPE).to_owned();
        let method = request.method().clone();
        let body = request.into_body();
        match (method.as_str(), content_type.as_str()) {
            ("GET", _) if target.name.is_empty() => store.list(target, &query),
            ("GET", _) => store.get(&target.path()),
            ("POST", _) => {
                let name = body["metadata"]["name"].as_str().unwrap_or_default();
                store.create(&format!("{}/{name}", target.plural), body)
            }
            ("DELETE", _) => store.delete(&target.path(), &body),
            ("PATCH", "application/apply-patch+yaml") => store.apply(target, &query, body),
            ("PATCH", "application/json-patch+json") => store.patch(target, &query, body),
            // A strategic merge differs for lists that have items already.
            (
                "PATCH",
                "application/merge-patch+json" | "application/strategic-merge-patch+json",
            ) => store.merge(target, &query, &body),
            _ => Err((StatusCode::NOT_IMPLEMENTED, target.shown())),
        }
    }
}

fn header(request: &Request<Value>, name: HeaderName) -> &str {
    let value = request.headers().get(name);
    value.and_then(|it| it.to_str().ok()).unwrap_or_default()
}

/// The metadata of an object, or of each object in a list.
fn only_metadata(answer: &Value) -> Value {
    let metadata = json!({
        "apiVersion": "meta.k8s.io/v1",
        "kind": "PartialObjectMetadata",
        "metadata": answer["metadata"],
    });
    match answer["items"].as_array() {
        Some(items) => {
            let items: Vec<_> = items.iter().map(only_metadata).collect();
            json!({ "metadata": answer["metadata"], "items": items })
        }
        None => metadata,
    }
}

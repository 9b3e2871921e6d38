//! Mutating webhooks that this program serves: they change what is written in one namespace, and
//! count the writes of the operator.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use axum::extract::{Path, State};
use axum::routing::post;
use axum::serve::Listener;
use axum::{Json, Router};
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use innkeeper_cluster::network::NODE;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring::default_provider;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::server::TlsStream;

use crate::kubernetes::text;
use crate::namespace::{Namespace, OURS};

/// A function that returns the changes of an object as a JSON patch.
pub type Change = fn(&Value) -> Vec<Value>;

/// Webhooks by name, with the number of the operator's writes to each object since the counts were
/// last taken.
pub struct Webhooks {
    changes: BTreeMap<&'static str, Change>,
    counts: Mutex<BTreeMap<String, usize>>,
    is_asked: AtomicBool,
}

impl Webhooks {
    /// Starts changing what is written to these resources in a namespace. The first webhook counts
    /// the writes.
    pub fn begin(
        namespace: Namespace,
        resources: &[&str],
        changes: &[(&'static str, Change)],
    ) -> Arc<Self> {
        let webhooks = Arc::new(Self {
            changes: changes.iter().copied().collect(),
            counts: Mutex::default(),
            is_asked: AtomicBool::new(false),
        });
        let key = rcgen::KeyPair::generate().unwrap();
        let params = rcgen::CertificateParams::new([NODE.to_string()]).unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
        let config = ServerConfig::builder_with_provider(default_provider().into())
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_no_client_auth()
            .with_single_cert(vec![certificate.der().clone()], private)
            .unwrap();
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind((NODE, 0))).unwrap();
        let port = listener.local_addr().unwrap().port();
        let listener = Tls {
            listener,
            acceptor: TlsAcceptor::from(Arc::new(config)),
        };
        let router = Router::new()
            .route("/{name}", post(answer))
            .with_state(webhooks.clone());
        thread::spawn(move || runtime.block_on(axum::serve(listener, router).into_future()));
        register(namespace, resources, changes, port, &certificate.pem());
        // The API server takes a moment to notice the webhooks.
        namespace.until("its webhooks are asked", || {
            let create = ["create", "--dry-run=server"];
            namespace.kubectl_with_file(&create, &deployment())?;
            if webhooks.is_asked.load(Ordering::Relaxed) {
                Ok(())
            } else {
                Err("not yet".to_owned())
            }
        });
        webhooks
    }

    /// Takes the number of the operator's writes to each object, including its status, since the
    /// last call.
    pub fn take_counts(&self) -> BTreeMap<String, usize> {
        std::mem::take(&mut self.counts.lock().unwrap())
    }

    fn count(&self, request: &Value) {
        if request["options"]["fieldManager"] == "innkeeper" {
            let resource = text(&request["resource"]["resource"]);
            let object = format!("{resource} {}", text(&request["name"]));
            *self.counts.lock().unwrap().entry(object).or_default() += 1;
        }
    }
}

async fn answer(
    State(webhooks): State<Arc<Webhooks>>,
    Path(name): Path<String>,
    Json(review): Json<Value>,
) -> Json<Value> {
    let request = &review["request"];
    webhooks.is_asked.store(true, Ordering::Relaxed);
    if webhooks.changes.keys().next() == Some(&name.as_str()) {
        webhooks.count(request);
    }
    let patch = json!(webhooks.changes[name.as_str()](&request["object"]));
    Json(json!({
        "apiVersion": "admission.k8s.io/v1",
        "kind": "AdmissionReview",
        "response": {
            "uid": request["uid"],
            "allowed": true,
            "patchType": "JSONPatch",
            "patch": BASE64_STANDARD.encode(patch.to_string()),
        },
    }))
}

/// An object that is sent only as a dry run.
fn deployment() -> String {
    let labels = json!({ "app": "none" });
    let deployment = json!({
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": { "name": "none" },
        "spec": {
            "selector": { "matchLabels": labels },
            "template": {
                "metadata": { "labels": labels },
                "spec": { "containers": [{ "name": "none", "image": "none" }] },
            },
        },
    });
    deployment.to_string()
}

fn register(
    namespace: Namespace,
    resources: &[&str],
    changes: &[(&'static str, Change)],
    port: u16,
    certificate: &str,
) {
    let webhook = |(name, _): &(&str, Change)| {
        json!({
            "name": format!("{name}.innkeeper-e2e.test"),
            "clientConfig": {
                "url": format!("https://{NODE}:{port}/{name}"),
                "caBundle": BASE64_STANDARD.encode(certificate),
            },
            "rules": [{
                "apiGroups": ["*"],
                "apiVersions": ["*"],
                "resources": resources,
                "operations": ["CREATE", "UPDATE"],
            }],
            "namespaceSelector": { "matchLabels": { "kubernetes.io/metadata.name": namespace.0 } },
            "admissionReviewVersions": ["v1"],
            "sideEffects": "None",
        })
    };
    let configuration = json!({
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": { "name": format!("{OURS}-{}", namespace.0), "labels": { OURS: "true" } },
        "webhooks": changes.iter().map(webhook).collect::<Vec<_>>(),
    });
    namespace.apply(&configuration.to_string());
}

/// A listener that encrypts its connections.
struct Tls {
    listener: TcpListener,
    acceptor: TlsAcceptor,
}

impl Listener for Tls {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        loop {
            let (stream, address) = Listener::accept(&mut self.listener).await;
            if let Ok(stream) = self.acceptor.accept(stream).await {
                return (stream, address);
            }
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.listener.local_addr()
    }
}

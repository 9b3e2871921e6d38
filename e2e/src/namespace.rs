//! A Kubernetes namespace and the objects in it.

use std::fs;
use std::time::{Duration, Instant};

use innkeeper_cluster::command::read_output;
use innkeeper_cluster::deadline::until;
use serde_json::{Value, json};

use crate::http::{self, Answer};
use crate::kubernetes::{
    self, CONFIG_MAPS, DOMAIN_SERVICES, EVENTS, PLATFORMS, PODS, ResourcePath, SERVICES, message,
    text,
};
use crate::site::site;
use crate::{kafka, postgres};

/// How long most things may take on a busy machine.
pub const SOON: Duration = Duration::from_secs(90);

/// The time within which a service tells of what happens to it.
const NOTICED: Duration = Duration::from_secs(10);

/// The Secret that the chart's defaults name.
const SECRET: &str = "innkeeper-database";

/// Label of the namespaces that tests create, and of what they create outside of namespaces.
pub(crate) const OURS: &str = "innkeeper-e2e";

/// A Kubernetes namespace, by its name.
#[derive(Clone, Copy, Debug)]
pub struct Namespace(pub &'static str);

impl Namespace {
    /// Creates the namespace with the restricted pod security standard.
    pub fn create(self) {
        let labels = json!({ "pod-security.kubernetes.io/enforce": "restricted", OURS: "true" });
        let namespace = json!({
            "apiVersion": "v1",
            "kind": "Namespace",
            "metadata": { "name": self.0, "labels": labels },
        });
        self.apply(&namespace.to_string());
    }

    /// Creates the Secret with the services' credentials for the database.
    pub fn create_secret(self) {
        let secret = json!({
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": { "name": SECRET },
            "stringData": { "username": postgres::USER, "password": postgres::PASSWORD },
        });
        self.apply(&secret.to_string());
    }

    /// Runs kubectl in the namespace and returns its output.
    pub fn kubectl(self, arguments: &[&str]) -> Result<String, String> {
        let mut kubectl = site().cluster.kubectl();
        kubectl.args(["--namespace", self.0]).args(arguments);
        read_output(&mut kubectl).map_err(|error| error.to_string())
    }

    /// Runs the first kubectl command in a message, as a shell would, and returns its output.
    pub fn obey(self, said: &str) -> String {
        self.try_obey(said).unwrap()
    }

    /// The same as [`Self::obey`], but it may fail.
    pub fn try_obey(self, said: &str) -> Result<String, String> {
        let (_, rest) = said.split_once("kubectl ").expect("a command");
        let command = rest.split(['`', '\n']).next().unwrap_or(rest);
        let words = shlex::split(command).expect("a command that a shell reads");
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        self.kubectl(&words)
    }

    /// Runs kubectl with a file of this content as its last argument, and returns its output.
    pub fn kubectl_with_file(self, arguments: &[&str], manifest: &str) -> Result<String, String> {
        self.note_topic(manifest);
        let file = tempfile::Builder::new().suffix(".yaml").tempfile().unwrap();
        fs::write(file.path(), manifest).unwrap();
        let path = file.path().to_str().unwrap();
        self.kubectl(&[arguments, &["--filename", path]].concat())
    }

    /// Applies a manifest, as a user does.
    pub fn apply(self, manifest: &str) {
        self.kubectl_with_file(&["apply"], manifest).unwrap();
    }

    /// Fetches an object; `None` if there is none.
    pub fn find(self, kind: ResourcePath, name: &str) -> Option<Value> {
        kubernetes::find(kind, self.0, name)
    }

    /// Fetches an object that must exist.
    pub fn fetch(self, kind: ResourcePath, name: &str) -> Value {
        let missing = || panic!("there is no {} {name} in {}", kind.plural, self.0);
        self.find(kind, name).unwrap_or_else(missing)
    }

    /// Lists the objects of a kind.
    pub fn list(self, kind: ResourcePath) -> Vec<Value> {
        kubernetes::list(kind, self.0, "")
    }

    /// Lists the objects of a kind that belong to a service.
    pub fn list_of_service(self, kind: ResourcePath, service: &str) -> Vec<Value> {
        kubernetes::list(kind, self.0, &format!("innkeeper.dev/service={service}"))
    }

    /// The default topic of a platform in this namespace.
    pub fn topic(self, platform: &str) -> String {
        format!("{}.{platform}", self.0)
    }

    /// Notes the topic that a manifest describes, if it describes one.
    fn note_topic(self, manifest: &str) {
        let Ok(object) = serde_yaml::from_str::<Value>(manifest) else {
            return;
        };
        let spec = &object["spec"];
        let named = &spec["messaging"]["topic"]["name"];
        kafka::note_described(&match object["kind"].as_str() {
            Some("EventTopic") => text(&spec["topicName"]),
            Some("BookingPlatform") if named.is_string() => text(named),
            Some("BookingPlatform") => self.topic(&text(&object["metadata"]["name"])),
            _ => return,
        });
    }

    /// Waits with kubectl, as a user does, until a platform is ready in its present generation.
    pub fn await_ready(self, platform: &str) {
        self.await_state(PLATFORMS, platform, "Ready");
        let platform = format!("bookingplatform/{platform}");
        let wait = ["wait", "--for=condition=Ready", "--timeout=60s", &platform];
        self.kubectl(&wait).unwrap();
    }

    /// Waits until the condition with this type is true for an object, and returns its message.
    pub fn await_state(self, kind: ResourcePath, name: &str, state: &str) -> String {
        self.until(&format!("{} {name} is {state}", kind.plural), || {
            let object = self.find(kind, name);
            message(&object.ok_or_else(|| format!("there is no {name}"))?, state)
        })
    }

    /// Waits until a service has this reason, and returns the message.
    pub fn await_reason(self, service: &str, reason: &str) -> String {
        self.until(&format!("service {service} is {reason}"), || {
            match self.fetch_ready(service) {
                (found, said) if found == reason => Ok(said),
                (found, said) => Err(format!("{found}: {said}")),
            }
        })
    }

    /// The reason and the message of a service's condition Ready; empty if it has none.
    pub fn fetch_ready(self, service: &str) -> (String, String) {
        let object = self.find(DOMAIN_SERVICES, service).unwrap_or_default();
        let ready = kubernetes::condition(&object, "Ready");
        let part = |name: &str| ready.map(|it| text(&it[name])).unwrap_or_default();
        (part("reason"), part("message"))
    }

    /// Waits until a service has this reason or says these words, and returns its message.
    pub fn await_told(self, service: &str, words: &str) -> String {
        self.until(&format!("{service} tells of {words}"), || {
            let (reason, said) = self.fetch_ready(service);
            if reason == words || said.contains(words) {
                Ok(said)
            } else {
                Err(format!("{reason}: {said}"))
            }
        })
    }

    /// The same as [`Self::await_told`], and checks that it did not take long.
    pub fn await_noticed(self, service: &str, words: &str) -> String {
        let began = Instant::now();
        let said = self.await_told(service, words);
        assert!(began.elapsed() < NOTICED, "{:?}: {said}", began.elapsed());
        said
    }

    /// Waits until the last pod of a service is gone.
    pub fn await_no_pods(self, service: &str) {
        self.until(&format!("the last pod of {service} is gone"), || match self
            .list_of_service(PODS, service)
            .len()
        {
            0 => Ok(()),
            count => Err(format!("{count} pods")),
        });
    }

    /// Polls until something succeeds, with a deadline for a busy machine.
    pub fn until<T>(self, what: &str, look: impl FnMut() -> Result<T, String>) -> T {
        until(&format!("in {}: {what}", self.0), SOON, look)
            .unwrap_or_else(|overdue| panic!("{overdue}"))
    }

    /// Waits for an event with this reason whose note contains `part`, and returns the note.
    pub fn await_event(self, reason: &str, part: &str) -> String {
        self.until(&format!("an event {reason} that says: {part}"), || {
            let events = self.list(EVENTS);
            let of_reason = events.iter().filter(|event| event["reason"] == reason);
            let notes: Vec<_> = of_reason.map(|event| text(&event["note"])).collect();
            let mut saying = notes.iter().filter(|note| note.contains(part));
            saying.next().cloned().ok_or_else(|| format!("{notes:?}"))
        })
    }

    /// Fetches the address of the platform's gateway within the cluster.
    pub fn fetch_gateway_url(self) -> String {
        let service = self.fetch(SERVICES, "gateway");
        format!("http://{}:8080", text(&service["spec"]["clusterIP"]))
    }

    /// Sends a request to the gateway.
    pub fn call(self, method: &str, path: &str, body: &Value) -> Answer {
        self.call_with(method, path, body, &[])
    }

    /// Sends a request with headers to the gateway.
    pub fn call_with(
        self,
        method: &str,
        path: &str,
        body: &Value,
        headers: &[(&str, &str)],
    ) -> Answer {
        let url = format!("{}{path}", self.fetch_gateway_url());
        http::request(method, &url, body, headers)
            .unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// Reads a path through the gateway, and returns the body.
    pub fn read(self, path: &str) -> Value {
        let answer = self.call("GET", path, &Value::Null);
        assert_eq!(answer.status, 200, "GET {path}: {}", answer.body);
        answer.body
    }

    /// Fetches a pod of a service that is not being deleted.
    fn fetch_staying_pod(self, service: &str) -> Value {
        let mut pods = self.list_of_service(PODS, service).into_iter();
        let staying = pods.find(|pod| pod["metadata"]["deletionTimestamp"].is_null());
        staying.expect("the service has a pod")
    }

    /// Fetches the environment variables that a service's pod has from the user's configuration,
    /// with the name of the ConfigMap that the pod names.
    fn fetch_environment(self, service: &str) -> (String, Value) {
        let pod = self.fetch_staying_pod(service);
        let from = &pod["spec"]["containers"][0]["envFrom"][0]["configMapRef"]["name"];
        let config_map = self.fetch(CONFIG_MAPS, &text(from));
        (text(from), config_map["data"].clone())
    }

    /// Checks that a pod of a service runs with these environment variables, and shows their names
    /// but not their values.
    pub fn check_configured(self, service: &str, env: &Value) -> Result<(), String> {
        let (name, data) = self.fetch_environment(service);
        let shown = self.fetch_admin(service, "/settings").body["config"].clone();
        let names: Vec<_> = env
            .as_object()
            .into_iter()
            .flatten()
            .map(|it| it.0)
            .collect();
        let hash = text(&shown["hash"]);
        let is_told =
            shown["env"] == json!(names) && !hash.is_empty() && name.ends_with(&format!("-{hash}"));
        if data == *env && is_told {
            Ok(())
        } else {
            Err(format!("{name} holds {data}, the pod shows {shown}"))
        }
    }

    /// Sends a GET to the admin API of a service's pod that is not being deleted.
    pub fn fetch_admin(self, service: &str, path: &str) -> Answer {
        let pod = self.fetch_staying_pod(service);
        let address = text(&pod["status"]["podIP"]);
        http::request(
            "GET",
            &format!("http://{address}:9090{path}"),
            &Value::Null,
            &[],
        )
        .unwrap()
    }
}

/// Removes what an earlier run has left on a cluster that was kept.
pub fn clean() {
    let kubectl = |words: &[&str]| Namespace("default").kubectl(words);
    // The program that served these webhooks has ended.
    let webhooks = "mutatingwebhookconfigurations";
    kubectl(&["delete", webhooks, "--selector", OURS]).unwrap();
    let every = ["--all", "--all-namespaces", "--timeout=60s"];
    let kinds = ["delete", "bookingplatforms,eventtopics"];
    // On a new cluster the kinds do not exist yet. And without an operator nothing releases a topic
    // that is to be deleted with its object.
    let _ = kubectl(&[&kinds[..], &every].concat());
    kubectl(&["delete", "namespaces", "--selector", OURS]).unwrap();
    kafka::delete_topics();
    postgres::recreate_database();
}

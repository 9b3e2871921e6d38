//! Reconciliations of a service on an API server in memory.

use axum::http::StatusCode;
use innkeeper_plan::fixtures::{owned_by, owner, service};
use innkeeper_plan::verdict::{self, Reason};
use jiff::Timestamp;
use k8s_openapi::api::apps::v1::ReplicaSet;
use k8s_openapi::api::core::v1::{Event, Pod, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use serde_json::{Value, json};

use super::*;
use crate::error::Class;
use crate::fake_api_server::FakeApiServer;

const PAY: &str = "domainservices/pay";
const DEPLOYMENT: &str = "deployments/pay";

/// A cluster with the service `pay`.
struct Cluster {
    server: FakeApiServer,
    ctx: Arc<Context>,
}

impl Cluster {
    /// A cluster whose service has these further fields in its spec.
    fn with(spec: &Value) -> Self {
        let server = FakeApiServer::default();
        server.create(&service("pay", spec));
        let ctx = Arc::new(Context::of(server.client()));
        Self { server, ctx }
    }

    /// A cluster whose service is ready.
    async fn settled(spec: &Value) -> Self {
        let cluster = Self::with(spec);
        cluster.reconcile().await.expect("the service is applied");
        cluster.run_pods(1);
        cluster.reconcile().await.expect("the service is ready");
        cluster.server.take_requests();
        cluster
    }

    async fn reconcile(&self) -> Result<Action, Error> {
        reconcile(self.server.read(PAY), Arc::clone(&self.ctx)).await
    }

    /// Does what Kubernetes does for a Deployment with one pod, of which so many are available.
    fn run_pods(&self, available: i32) {
        self.server
            .edit("kube-controller-manager", DEPLOYMENT, |it| {
                it["status"] = json!({
                    "observedGeneration": it["metadata"]["generation"],
                    "replicas": 1,
                    "updatedReplicas": 1,
                    "readyReplicas": available,
                    "availableReplicas": available,
                });
            });
    }

    /// Creates a pod of the service's Deployment with this status.
    fn create_unready_pod(&self, status: &Value) {
        let owner = json!({
            "apiVersion": "apps/v1", "kind": "ReplicaSet", "name": "pay-1", "uid": "set", "controller": true,
        });
        let pod: Pod = serde_json::from_value(json!({
            "metadata": { "name": "pay-1-a", "ownerReferences": [owner] },
            "spec": { "serviceAccountName": "pay", "containers": [] },
            "status": status,
        }))
        .expect("the pod is complete");
        self.server.create(&pod);
    }

    fn edit_spec(&self, change: impl FnOnce(&mut Value)) {
        self.server
            .edit("innkeeper", PAY, |it| change(&mut it["spec"]));
    }
}

/// The status of a container that is not ready.
fn container(state: &Value, restarts: i32) -> Value {
    json!({
        "name": "service", "image": "", "imageID": "", "ready": false,
        "restartCount": restarts, "state": state,
    })
}

/// The service of a callee, which is ready.
fn ready_callee(name: &str) -> DomainService {
    let mut callee = service(name, &json!({}));
    let ready = Verdict::ready(Reason::Ready, "ready");
    let conditions = verdict::conditions(&ready, Some(1), &[], Timestamp::UNIX_EPOCH);
    let status = json!({ "observedGeneration": 1, "conditions": conditions });
    callee.status = serde_json::from_value(status).expect("the status is complete");
    callee
}

#[tokio::test]
async fn a_new_service_gets_its_objects_and_counts_its_pods() {
    let cluster = Cluster::with(&json!({}));
    cluster.reconcile().await.unwrap();
    let server = &cluster.server;
    for kind in [
        "serviceaccounts",
        "services",
        "poddisruptionbudgets",
        "deployments",
    ] {
        assert_eq!(server.names(kind), ["pay"], "{kind}");
    }
    assert_eq!(server.names("configmaps").len(), 1);
    let verdict = server.verdict(PAY);
    assert_eq!(verdict, "Reconciling, Progressing: 0 of 1 pods are ready");

    cluster.run_pods(1);
    cluster.reconcile().await.unwrap();
    assert_eq!(server.verdict(PAY), "Ready, Ready: ready with 1 of 1 pods");
    let status = &server.object(PAY)["status"];
    assert_eq!(status["observedGeneration"], 1);
    assert_eq!(
        (&status["replicas"], &status["readyReplicas"]),
        (&json!(1), &json!(1))
    );
}

#[tokio::test]
async fn a_service_that_is_as_described_is_not_written_again() {
    let cluster = Cluster::settled(&json!({})).await;
    let next = cluster.reconcile().await.unwrap();
    assert_eq!(next, Action::requeue(requeue::ONCE_IN_A_WHILE));
    assert_eq!(cluster.server.take_writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_new_operator_does_not_write_what_an_older_one_applied() {
    let mut cluster = Cluster::settled(&json!({})).await;
    cluster.ctx = Arc::new(Context::of(cluster.server.client()));
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.take_writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_field_that_somebody_changed_is_put_back() {
    for manager in ["kubectl-edit", "k9s"] {
        let cluster = Cluster::settled(&json!({})).await;
        let ports = cluster.server.object("services/pay")["spec"]["ports"].clone();
        cluster.server.edit(manager, "services/pay", |it| {
            it["spec"]["ports"] = json!([{ "port": 1 }]);
        });
        cluster.reconcile().await.unwrap();
        assert_eq!(
            cluster.server.object("services/pay")["spec"]["ports"],
            ports
        );
        let events = cluster.server.events();
        let told = |it: &String| it.starts_with("PutBack: Service pay") && it.contains(manager);
        assert!(events.iter().any(told), "{events:?}");
    }
}

#[tokio::test]
async fn a_field_that_kubectl_added_goes_and_one_of_another_manager_stays() {
    let cluster = Cluster::settled(&json!({})).await;
    cluster.server.edit("kubectl-edit", "services/pay", |it| {
        it["spec"]["sessionAffinity"] = json!("ClientIP");
    });
    cluster.server.edit("mesh", "services/pay", |it| {
        it["spec"]["trafficDistribution"] = json!("PreferClose");
    });
    cluster.reconcile().await.unwrap();
    let spec = &cluster.server.object("services/pay")["spec"];
    assert_eq!(spec["sessionAffinity"], Value::Null);
    assert_eq!(spec["trafficDistribution"], "PreferClose");
    let verdict = cluster.server.verdict(PAY);
    assert!(verdict.contains("mesh"), "{verdict}");
}

#[tokio::test]
async fn an_object_that_somebody_deleted_comes_back() {
    let cluster = Cluster::settled(&json!({})).await;
    cluster.server.delete(DEPLOYMENT);
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("deployments"), ["pay"]);
}

#[tokio::test]
async fn a_name_that_belongs_to_somebody_else_stops_everything() {
    let cluster = Cluster::with(&json!({}));
    let theirs = Service {
        metadata: ObjectMeta {
            name: Some("pay".to_owned()),
            ..ObjectMeta::default()
        },
        ..Service::default()
    };
    cluster.server.create(&theirs);
    let before = cluster.server.object("services/pay");
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PAY);
    assert!(
        verdict.starts_with("Stalled, NameTaken: Service pay belongs"),
        "{verdict}"
    );
    assert_eq!(cluster.server.object("services/pay"), before);
    assert!(cluster.server.names("deployments").is_empty());
}

#[tokio::test]
async fn a_service_that_cannot_be_applied_gets_no_status_until_it_is() {
    let cluster = Cluster::with(&json!({}));
    for (code, class) in [
        (StatusCode::INTERNAL_SERVER_ERROR, Class::Outage),
        (StatusCode::GATEWAY_TIMEOUT, Class::Outage),
        (StatusCode::CONFLICT, Class::Conflict),
    ] {
        cluster.server.fail("PATCH deployments", code);
        let error = cluster.reconcile().await.unwrap_err();
        assert_eq!(error.class(), class);
        assert_eq!(cluster.server.object(PAY)["status"], Value::Null);
        cluster.server.recover();
    }
    cluster.reconcile().await.unwrap();
    assert!(
        cluster
            .server
            .verdict(PAY)
            .starts_with("Reconciling, Progressing")
    );
}

#[tokio::test]
async fn a_status_that_could_not_be_written_is_written_next_time() {
    let cluster = Cluster::with(&json!({}));
    let code = StatusCode::INTERNAL_SERVER_ERROR;
    cluster.server.fail("PATCH domainservices/status", code);
    let error = cluster.reconcile().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "could not write the status of DomainService pay"
    );
    cluster.server.recover();
    cluster.server.take_requests();
    cluster.reconcile().await.unwrap();
    let writes = cluster.server.take_writes();
    assert!(
        writes.contains(&"PATCH domainservices/pay/status".to_owned()),
        "{writes:?}"
    );
    assert!(
        !writes.contains(&"PATCH deployments/pay".to_owned()),
        "{writes:?}"
    );
}

#[tokio::test]
async fn an_object_that_is_refused_stalls_the_service_in_the_words_of_the_api_server() {
    let cluster = Cluster::settled(&json!({})).await;
    cluster.edit_spec(|spec| spec["image"] = json!("innkeeper:2"));
    cluster
        .server
        .fail("PATCH deployments", StatusCode::UNPROCESSABLE_ENTITY);
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PAY);
    let refused = "Stalled, Refused: Deployment pay is refused: PATCH deployments is answered";
    assert!(verdict.starts_with(refused), "{verdict}");
    // The pods go on.
    assert_eq!(cluster.server.object(PAY)["status"]["readyReplicas"], 1);
}

#[tokio::test]
async fn a_list_that_is_forbidden_is_named() {
    let cluster = Cluster::with(&json!({}));
    let forbidden = StatusCode::FORBIDDEN;
    (cluster.server).fail("GET horizontalpodautoscalers", forbidden);
    let error = cluster.reconcile().await.unwrap_err();
    assert_eq!(error.class(), Class::Refused);
    assert_eq!(
        error.to_string(),
        "could not read every HorizontalPodAutoscaler beside pay"
    );
    assert_eq!(cluster.server.take_writes(), Vec::<String>::new());
}

#[tokio::test]
async fn a_caller_is_created_once_its_callee_is_ready() {
    let cluster = Cluster::with(&json!({ "waitsFor": ["bank"] }));
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PAY);
    assert!(
        verdict.starts_with("Reconciling, WaitingForCallee: waits for bank"),
        "{verdict}"
    );
    assert!(cluster.server.names("deployments").is_empty());

    cluster.server.create(&ready_callee("bank"));
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("deployments"), ["pay"]);
}

#[tokio::test]
async fn settings_are_deleted_once_no_pod_uses_them() {
    let cluster = Cluster::settled(&json!({})).await;
    let template = cluster.server.object(DEPLOYMENT)["spec"]["template"].clone();
    let set: ReplicaSet = serde_json::from_value(json!({
        "metadata": { "name": "pay-1" },
        "spec": { "selector": {}, "template": template },
    }))
    .unwrap();
    cluster.server.create(&set);
    cluster.edit_spec(|spec| {
        spec["settings"]["component"]["gateway"]["routes"] =
            json!([{ "service": "bank", "paths": ["/banks"], "address": "bank:8080", "timeoutMs": 1000 }]);
    });
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("configmaps").len(), 2);

    cluster.server.delete("replicasets/pay-1");
    cluster.server.take_requests();
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("configmaps").len(), 1);
}

#[tokio::test]
async fn an_autoscaler_that_is_not_asked_for_any_more_is_deleted_before_the_rest_is_applied() {
    let scaled = json!({ "autoscaling": { "minReplicas": 1, "maxReplicas": 3 } });
    let cluster = Cluster::settled(&scaled).await;
    assert_eq!(cluster.server.names("horizontalpodautoscalers"), ["pay"]);
    cluster.edit_spec(|spec| {
        spec.as_object_mut().unwrap().shift_remove("autoscaling");
        spec["replicas"] = json!(2);
    });
    cluster.reconcile().await.unwrap();
    let writes = cluster.server.take_writes();
    assert_eq!(
        writes[..2],
        [
            "DELETE horizontalpodautoscalers/pay",
            "PATCH deployments/pay"
        ]
    );
}

#[tokio::test]
async fn a_deployment_that_somebody_paused_stalls_the_service_and_keeps_its_pods() {
    let cluster = Cluster::settled(&json!({})).await;
    cluster.server.edit("kubectl-rollout", DEPLOYMENT, |it| {
        it["spec"]["paused"] = json!(true);
    });
    cluster.run_pods(1);
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PAY);
    assert!(verdict.starts_with("Stalled, RolloutPaused"), "{verdict}");
    assert_eq!(cluster.server.object(DEPLOYMENT)["spec"]["paused"], true);
}

#[tokio::test]
async fn a_pod_that_gets_no_node_is_explained_at_once() {
    let cluster = Cluster::with(&json!({}));
    cluster.reconcile().await.unwrap();
    cluster.run_pods(0);
    let message = "0/1 nodes are available: 1 Insufficient cpu.";
    cluster.create_unready_pod(&json!({ "conditions": [
        { "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": message },
    ] }));
    let next = cluster.reconcile().await.unwrap();
    assert_eq!(next, Action::requeue(requeue::LATER));
    assert_eq!(
        cluster.server.verdict(PAY),
        "Reconciling, Progressing: 0 of 1 pods are ready: Unschedulable: 0/1 nodes are available: 1 Insufficient cpu"
    );
}

#[tokio::test]
async fn a_volume_that_cannot_be_mounted_is_told_as_soon_as_an_event_tells() {
    let cluster = Cluster::with(&json!({}));
    cluster.reconcile().await.unwrap();
    cluster.run_pods(0);
    let state = json!({ "waiting": { "reason": "ContainerCreating" } });
    cluster.create_unready_pod(&json!({ "containerStatuses": [container(&state, 0)] }));
    let next = cluster.reconcile().await.unwrap();
    assert_eq!(next, Action::requeue(requeue::SOON));
    assert_eq!(
        cluster.server.verdict(PAY),
        "Reconciling, Progressing: 0 of 1 pods are ready"
    );
    let event = |name: &str, uid: &Value| -> Event {
        serde_json::from_value(json!({
            "metadata": { "name": name }, "involvedObject": { "uid": uid }, "type": "Warning",
            "reason": "FailedMount", "message": format!("secret \"{name}\" not found"),
        }))
        .unwrap()
    };
    let uid = &cluster.server.object("pods/pay-1-a")["metadata"]["uid"];
    cluster.server.create(&event("database", uid));
    cluster
        .server
        .create(&event("other", &json!("another pod")));
    cluster.reconcile().await.unwrap();
    assert_eq!(
        cluster.server.verdict(PAY),
        "Reconciling, Progressing: 0 of 1 pods are ready: FailedMount: secret \"database\" not found"
    );
}

#[tokio::test]
async fn a_process_that_ends_again_and_again_stalls_its_service_with_its_last_words() {
    let cluster = Cluster::with(&json!({}));
    cluster.reconcile().await.unwrap();
    cluster.run_pods(0);
    let state = json!({ "terminated": {
        "exitCode": 1, "reason": "Error", "message": "starting\nerror: grant CREATE to kim\n",
    } });
    cluster.create_unready_pod(&json!({ "containerStatuses": [container(&state, 2)] }));
    cluster.reconcile().await.unwrap();
    assert_eq!(
        cluster.server.verdict(PAY),
        "Reconciling, Progressing: 0 of 1 pods are ready: exit code 1: error: grant CREATE to kim"
    );
    cluster.server.edit("kubelet", "pods/pay-1-a", |it| {
        it["status"]["containerStatuses"] = json!([container(&state, 3)]);
    });
    cluster.reconcile().await.unwrap();
    assert_eq!(
        cluster.server.verdict(PAY),
        "Stalled, CrashLoop: the process of a pod ends again and again; `kubectl logs pay-1-a -n shop --previous` has all that it said: exit code 1: error: grant CREATE to kim"
    );
}

#[tokio::test]
async fn pods_are_listed_once_while_nothing_changes() {
    let cluster = Cluster::settled(&json!({})).await;
    cluster.reconcile().await.unwrap();
    let requests = cluster.server.take_requests();
    let lists = requests.iter().filter(|it| *it == "GET pods").count();
    assert_eq!(lists, 1, "{requests:?}");
}

#[tokio::test]
async fn a_pod_that_left_its_replica_set_gets_the_service_as_owner() {
    let cluster = Cluster::settled(&json!({})).await;
    let lost: Pod = serde_json::from_value(json!({
        "metadata": { "name": "lost" },
        "spec": { "serviceAccountName": "pay", "containers": [] },
        "status": { "phase": "Running" },
    }))
    .unwrap();
    cluster.server.create(&lost);
    let next = cluster.reconcile().await.unwrap();
    assert_eq!(next, Action::requeue(requeue::SOON));
    let owners = &cluster.server.object("pods/lost")["metadata"]["ownerReferences"];
    assert_eq!(owners[0]["name"], "pay");
    let verdict = cluster.server.verdict(PAY);
    assert!(verdict.contains("Pod lost runs on"), "{verdict}");
}

#[tokio::test]
async fn a_service_waits_until_the_objects_of_a_former_one_are_gone() {
    let cluster = Cluster::with(&json!({}));
    let former = Service {
        metadata: ObjectMeta {
            name: Some("pay".to_owned()),
            ..owned_by(Some(owner("former")))
        },
        ..Service::default()
    };
    cluster.server.create(&former);
    cluster.reconcile().await.unwrap();
    let verdict = cluster.server.verdict(PAY);
    assert!(
        verdict.starts_with("Reconciling, WaitingForDeletion"),
        "{verdict}"
    );

    cluster.server.delete("services/pay");
    cluster.reconcile().await.unwrap();
    assert_eq!(cluster.server.names("services"), ["pay"]);
}

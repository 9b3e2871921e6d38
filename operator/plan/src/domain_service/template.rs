//! What a release adds to pods waits until something else of their template changes, so that an
//! upgrade of the operator restarts nothing.

use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;

use crate::ownership::admission::means_the_same;
use crate::rendered::Rendered;

/// Where a pod template has what a release has added, as JSON pointers to parent and member.
const ADDED: [(&str, &str); 1] = [("/spec/containers/0", "terminationMessagePolicy")];

/// Takes what a release has added out of the pod template of a rendered Deployment, if there are
/// pods and they have everything else.
pub fn keep_running_pods(rendered: &mut Rendered, live: &Deployment) {
    let pods = live.spec.as_ref().and_then(|spec| spec.replicas);
    if pods == Some(0) {
        return;
    }
    let live = live.spec.as_ref().map(|spec| &spec.template);
    let live = serde_json::to_value(live).unwrap_or_default();
    let Some(template) = rendered.object.data.pointer_mut("/spec/template") else {
        return;
    };
    let mut former = template.clone();
    for (parent, member) in ADDED {
        if let Some(parent) = former.pointer_mut(parent).and_then(Value::as_object_mut) {
            parent.remove(member);
        }
    }
    if !has_all(&live, template) && has_all(&live, &former) {
        *template = former;
    }
}

/// Whether everything that is wanted is in an object of the API server, which may have more.
fn has_all(live: &Value, wanted: &Value) -> bool {
    match (live, wanted) {
        (Value::Object(live), Value::Object(wanted)) => wanted.iter().all(|(member, wanted)| {
            let live = live.get(member).unwrap_or(&Value::Null);
            has_all(live, wanted)
        }),
        (Value::Array(live), Value::Array(wanted)) => wanted
            .iter()
            .all(|wanted| live.iter().any(|live| has_all(live, wanted))),
        (live, wanted) => means_the_same(wanted, live),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures::service;
    use crate::render::objects;

    fn rendered(workload: &Value) -> Rendered {
        let objects = objects(&service("pay", workload), None);
        let mut objects = objects.into_iter();
        objects.find(|it| it.resource.kind == "Deployment").unwrap()
    }

    fn container(rendered: &mut Rendered) -> &mut Value {
        let container = "/spec/template/spec/containers/0";
        rendered.object.data.pointer_mut(container).unwrap()
    }

    /// The Deployment as the API server has it after an earlier release applied it.
    fn of_earlier_release(workload: &Value) -> Deployment {
        let mut rendered = rendered(workload);
        let container = container(&mut rendered);
        container["terminationMessagePolicy"] = json!("File");
        container["terminationMessagePath"] = json!("/dev/termination-log");
        serde_json::from_value(serde_json::to_value(rendered.object).unwrap()).unwrap()
    }

    fn policy(workload: &Value, live: &Deployment) -> Value {
        let mut rendered = rendered(workload);
        keep_running_pods(&mut rendered, live);
        container(&mut rendered)["terminationMessagePolicy"].take()
    }

    #[test]
    fn pods_of_an_earlier_release_stay_as_they_are() {
        let two = json!({ "replicas": 2 });
        let live = of_earlier_release(&two);
        assert_eq!(policy(&two, &live), Value::Null);
        assert_eq!(policy(&json!({ "replicas": 5 }), &live), Value::Null);
    }

    #[test]
    fn a_change_that_restarts_pods_brings_what_is_new() {
        let live = of_earlier_release(&json!({}));
        let changed = json!({ "resources": { "requests": { "cpu": "200m" } } });
        assert_eq!(policy(&changed, &live), "FallbackToLogsOnError");
        let new = Deployment::default();
        assert_eq!(policy(&json!({}), &new), "FallbackToLogsOnError");
    }

    #[test]
    fn what_is_new_stays_once_it_is_there() {
        let mut live = of_earlier_release(&json!({}));
        let pod = live.spec.as_mut().unwrap().template.spec.as_mut().unwrap();
        pod.containers[0].termination_message_policy = Some("FallbackToLogsOnError".to_owned());
        assert_eq!(policy(&json!({}), &live), "FallbackToLogsOnError");
    }

    #[test]
    fn without_pods_what_is_new_comes_at_once() {
        let mut live = of_earlier_release(&json!({}));
        live.spec.as_mut().unwrap().replicas = Some(0);
        assert_eq!(policy(&json!({}), &live), "FallbackToLogsOnError");
    }

    #[test]
    fn what_the_api_server_leaves_out_because_it_says_nothing_is_no_change() {
        let at_once = json!({ "probes": { "readiness": {
            "httpGet": { "path": "/readyz", "port": 9090 }, "initialDelaySeconds": 0,
        } } });
        let mut live = serde_json::to_value(of_earlier_release(&at_once)).unwrap();
        let probe = "/spec/template/spec/containers/0/readinessProbe";
        let probe = live.pointer_mut(probe).unwrap().as_object_mut().unwrap();
        assert_eq!(probe.remove("initialDelaySeconds"), Some(json!(0)));
        let live = serde_json::from_value(live).unwrap();
        assert_eq!(policy(&at_once, &live), Value::Null);
    }

    #[test]
    fn another_spelling_of_an_amount_is_no_change() {
        let cores = |cpu: &str| json!({ "resources": { "requests": { "cpu": cpu } } });
        assert_eq!(
            policy(&cores("1000m"), &of_earlier_release(&cores("1"))),
            Value::Null
        );
        assert_ne!(
            policy(&cores("1"), &of_earlier_release(&cores("1m"))),
            Value::Null
        );
    }
}

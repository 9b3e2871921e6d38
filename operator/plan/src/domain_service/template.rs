//! What a release adds to pods waits for their next rollout, so that an upgrade of the operator
//! restarts nothing.

use innkeeper_crds::workload::Quantity;
use k8s_openapi::api::apps::v1::Deployment;
use serde_json::Value;

use crate::rendered::Rendered;

/// Where a pod template has what a release has added, as JSON pointers to parent and member.
const ADDED: [(&str, &str); 1] = [("/spec/containers/0", "terminationMessagePolicy")];

/// Takes what a release has added out of the pod template of a rendered Deployment, if the pods
/// that run have everything else.
pub fn keep_running_pods(rendered: &mut Rendered, live: &Deployment) {
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
        (Value::Object(live), Value::Object(wanted)) => wanted
            .iter()
            .all(|(member, wanted)| live.get(member).is_some_and(|live| has_all(live, wanted))),
        (Value::Array(live), Value::Array(wanted)) => wanted
            .iter()
            .all(|wanted| live.iter().any(|live| has_all(live, wanted))),
        (Value::String(live), Value::String(wanted)) => {
            live == wanted || are_one_quantity(live, wanted)
        }
        (live, wanted) => live == wanted,
    }
}

/// Whether two texts are the same amount: the API server writes `1000m` as `1`.
fn are_one_quantity(one: &str, other: &str) -> bool {
    let [one, other] = [one, other].map(|it| Quantity(it.to_owned()).thousandths());
    one > 0 && one == other
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

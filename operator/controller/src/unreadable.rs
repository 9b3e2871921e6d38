//! Objects that the API server has and this release cannot read, such as one that somebody wrote for
//! an earlier release. They stall by themselves; without this, one of them would end the watch of
//! all objects of its kind.

use std::sync::Arc;

use crate::context::Context;
use crate::error::Error;
use crate::status::{Observed, apply_status, fetch_status};
use crate::verdict::{self, Reason, Verdict};
use crate::{controllers, events};
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;
use kube::runtime::reflector::Store;
use kube::{Resource, ResourceExt as _};

/// The objects of a kind that were seen last and can be read.
pub(crate) fn readable<K>(seen: &Store<DeserializeGuard<K>>) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    seen.state()
        .iter()
        .filter_map(|object| object.0.as_ref().ok().cloned().map(Arc::new))
        .collect()
}

/// Says of an object that it cannot be read. The rest of its status stays, such as the image that was
/// pinned for a platform.
pub(crate) async fn tell<K: Observed>(
    ctx: &Context,
    object: &DeserializeGuard<K>,
    error: &str,
) -> Result<Action, Error> {
    let Some(object) = fetch_status::<K>(ctx, object, &object.name_any()).await? else {
        return Ok(Action::await_change());
    };
    let verdict = Verdict::stalled(Reason::Invalid, message::<K>(error));
    events::publish_change(ctx, &object, &verdict).await;
    let generation = object.metadata.generation;
    let mut status = object.status.clone().unwrap_or_default();
    status.observed_generation = generation.unwrap_or_default();
    status.conditions = verdict::conditions(&verdict, generation, &status.conditions, (ctx.now)());
    apply_status(ctx, &object, &status).await?;
    Ok(Action::requeue(controllers::LATER))
}

fn message<K: Observed>(error: &str) -> String {
    let plural = K::plural(&());
    format!(
        "this release of Innkeeper cannot read it ({error}): write it as `kubectl explain {plural}.spec --recursive` shows; what belongs to a platform is written by that"
    )
}

#[cfg(test)]
mod tests {
    use innkeeper_crds::DomainService;
    use serde_json::{Value, json};

    use super::*;

    fn read(spec: &Value) -> DeserializeGuard<DomainService> {
        serde_json::from_value(json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": { "name": "pay", "namespace": "shop" },
            "spec": spec,
        }))
        .unwrap()
    }

    #[test]
    fn what_is_missing_is_named_with_what_to_do() {
        let former = json!({ "platform": "rentcar", "image": "innkeeper:1", "gateway": {} });
        let error = read(&former).0.unwrap_err().error;
        let message = message::<DomainService>(&error);
        assert!(message.contains("(Missing field settings)"), "{message}");
        assert!(message.contains("kubectl explain domainservices.spec"));
    }

    #[test]
    fn one_that_cannot_be_read_does_not_hide_the_others() {
        let (seen, mut writer) = kube::runtime::reflector::store();
        let present = serde_json::to_value(crate::fixtures::service("rent", &json!({}))).unwrap();
        for object in [read(&json!({})), serde_json::from_value(present).unwrap()] {
            writer.apply_watcher_event(&kube::runtime::watcher::Event::Apply(object));
        }
        let names: Vec<_> = readable(&seen).iter().map(|it| it.name_any()).collect();
        assert_eq!(names, ["rent"]);
    }
}

//! Objects on the cluster that this release cannot read, such as one that somebody wrote for an
//! earlier release. Each of them is stalled on its own. Without this module, one such object would
//! end the watch of all objects of its kind.

use innkeeper_plan::verdict::{self, Reason, Verdict};
use kube::ResourceExt as _;
use kube::core::DeserializeGuard;
use kube::runtime::controller::Action;

use crate::context::Context;
use crate::error::Error;
use crate::status::{HasConditions, StatusOnly, apply_status, fetch_status};
use crate::{events, requeue};

/// Reports that an object cannot be read. The rest of its status is kept, such as the image that
/// was pinned for a platform.
pub(crate) async fn tell<K: HasConditions>(
    ctx: &Context,
    object: &DeserializeGuard<K>,
    error: &str,
) -> Result<Action, Error> {
    let Some(object) = fetch_status::<K>(ctx, object, &object.name_any()).await? else {
        return Ok(Action::await_change());
    };
    let verdict = Verdict::stalled(Reason::Invalid, message(&object, error));
    events::publish_change(ctx, &object, &verdict).await;
    let generation = object.metadata.generation;
    let mut status = object.status.clone().unwrap_or_default();
    status.observed_generation = generation.unwrap_or_default();
    status.conditions = verdict::conditions(&verdict, generation, &status.conditions, (ctx.now)());
    apply_status(ctx, &object, &status).await?;
    Ok(Action::requeue(requeue::LATER))
}

fn message<K: HasConditions>(object: &StatusOnly<K>, error: &str) -> String {
    let (plural, name) = (K::plural(&()), object.name_any());
    let namespace = object.namespace().unwrap_or_default();
    let remedy = if object.metadata.deletion_timestamp.is_some() && !object.finalizers().is_empty()
    {
        format!(
            "to let it go without what its finalizers do, such as deleting a topic, run `kubectl patch {plural}/{name} -n {namespace} --type=merge --patch={{\"metadata\":{{\"finalizers\":null}}}}`"
        )
    } else {
        format!(
            "write it as `kubectl explain {plural}.spec --recursive` shows; what belongs to a platform is written by that"
        )
    };
    format!("this release of Innkeeper cannot read it ({error}): {remedy}")
}

#[cfg(test)]
mod tests {
    use innkeeper_crds::DomainService;
    use serde_json::{Value, json};

    use super::*;

    fn read(metadata: &Value) -> String {
        let former = json!({
            "apiVersion": "innkeeper.dev/v1alpha1",
            "kind": "DomainService",
            "metadata": metadata,
            "spec": { "platform": "rentcar", "image": "innkeeper:1", "gateway": {} },
        });
        let read = serde_json::from_value::<DeserializeGuard<DomainService>>(former.clone());
        let error = read.unwrap().0.unwrap_err().error;
        let object: StatusOnly<DomainService> = serde_json::from_value(former).unwrap();
        message(&object, &error)
    }

    #[test]
    fn a_missing_field_is_named_with_a_remedy() {
        let said = read(&json!({ "name": "pay", "namespace": "shop" }));
        assert!(said.contains("(Missing field settings)"), "{said}");
        assert!(
            said.contains("kubectl explain domainservices.spec"),
            "{said}"
        );
    }

    #[test]
    fn an_object_that_is_being_deleted_says_how_to_proceed() {
        let said = read(&json!({
            "name": "pay",
            "namespace": "shop",
            "finalizers": ["innkeeper.dev/topic"],
            "deletionTimestamp": "2026-01-01T00:00:00Z",
        }));
        assert!(
            said.contains("`kubectl patch domainservices/pay -n shop"),
            "{said}"
        );
    }
}

//! The object that is sent for a rendered one, and the hash that identifies it later.

use innkeeper_contracts::content::short_hash;
use kube::api::DynamicObject;
use serde::Serialize;
use serde_json::Value;

use crate::names::APPLIED_ANNOTATION;
use crate::rendered::Rendered;

/// An object as it is sent. Its annotations contain its own hash; those of its pods do not, because
/// the pods would restart.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The object with the annotation.
    pub object: DynamicObject,
    /// The hash of the object without the annotation.
    pub hash: String,
}

impl Wanted {
    /// The object to send for a rendered one.
    pub fn of(rendered: &Rendered) -> Self {
        let mut object = rendered.object.clone();
        // A precondition is not part of the desired object.
        let version = object.metadata.resource_version.take();
        let hash = hash(&object);
        object.metadata.resource_version = version;
        let annotations = object.metadata.annotations.get_or_insert_default();
        annotations.insert(APPLIED_ANNOTATION.to_owned(), hash.clone());
        Self { object, hash }
    }

    /// The object as plain JSON.
    pub fn value(&self) -> Value {
        plain(&self.object)
    }
}

/// The hash that is recorded in an object.
pub fn recorded(object: &DynamicObject) -> Option<&str> {
    let annotations = object.metadata.annotations.as_ref()?;
    annotations.get(APPLIED_ANNOTATION).map(String::as_str)
}

/// The hash of plain data, independent of the order of its members.
pub fn hash(data: &impl Serialize) -> String {
    let mut value = plain(data);
    value.sort_all_objects();
    short_hash(value.to_string().as_bytes())
}

/// Plain data as JSON.
pub fn plain(data: &impl Serialize) -> Value {
    serde_json::to_value(data).expect("a Kubernetes object is plain data")
}

#[cfg(test)]
mod tests {
    use k8s_openapi::api::apps::v1::Deployment;
    use serde_json::json;

    use super::*;

    fn wanted(change: impl FnOnce(&mut Deployment)) -> Wanted {
        let mut deployment: Deployment = serde_json::from_value(json!({
            "metadata": {
                "name": "pay",
                "annotations": { "of": "the user" },
                "ownerReferences": [{ "apiVersion": "v1", "kind": "DomainService", "name": "pay", "uid": "1" }],
            },
            "spec": { "selector": {}, "template": { "metadata": { "labels": { "a": "b" } } } },
        }))
        .unwrap();
        change(&mut deployment);
        Wanted::of(&Rendered::of(&deployment))
    }

    #[test]
    fn the_hash_is_recorded_on_the_object_and_never_on_its_pods() {
        let wanted = wanted(|_| {});
        assert_eq!(recorded(&wanted.object), Some(wanted.hash.as_str()));
        let sent = wanted.value();
        assert_eq!(sent["metadata"]["annotations"]["of"], "the user");
        assert_eq!(
            sent["spec"]["template"],
            json!({ "metadata": { "labels": { "a": "b" } } })
        );
    }

    #[test]
    fn the_hash_is_of_everything_that_is_wanted() {
        let before = wanted(|_| {}).hash;
        let changes: [fn(&mut Deployment); 3] = [
            |it| it.spec.as_mut().unwrap().replicas = Some(2),
            |it| it.metadata.owner_references = None,
            |it| it.metadata.annotations = None,
        ];
        for change in changes {
            assert_ne!(wanted(change).hash, before);
        }
        let versioned = wanted(|it| it.metadata.resource_version = Some("7".to_owned()));
        assert_eq!(versioned.hash, before);
        assert_eq!(
            versioned.object.metadata.resource_version.as_deref(),
            Some("7")
        );
    }

    #[test]
    fn the_hash_knows_no_order_of_members() {
        let one = json!({ "a": { "b": 1, "c": 2 }, "d": [1, 2] });
        let other = json!({ "d": [1, 2], "a": { "c": 2, "b": 1 } });
        assert_eq!(hash(&one), hash(&other));
        assert_ne!(hash(&one), hash(&json!({ "a": one["a"], "d": [2, 1] })));
    }
}

//! The cached objects of a kind, including those that this release cannot read.

use std::sync::Arc;

use kube::Resource;
use kube::core::DeserializeGuard;
use kube::runtime::reflector::Store;

/// The objects of a kind as its watch has last seen them, including those that cannot be read.
pub(crate) type Cache<K> = Store<DeserializeGuard<K>>;

/// The cached objects of a kind that can be read.
pub(crate) fn readable<K>(cache: &Cache<K>) -> Vec<Arc<K>>
where
    K: Resource<DynamicType = ()> + Clone + 'static,
{
    cache
        .state()
        .iter()
        .filter_map(|object| object.0.as_ref().ok().cloned().map(Arc::new))
        .collect()
}

#[cfg(test)]
mod tests {
    use innkeeper_crds::DomainService;
    use innkeeper_plan::fixtures;
    use kube::ResourceExt as _;
    use kube::runtime::{reflector, watcher};
    use serde_json::{Value, json};

    use super::*;

    fn read(object: Value) -> DeserializeGuard<DomainService> {
        serde_json::from_value(object).unwrap()
    }

    #[test]
    fn one_that_cannot_be_read_does_not_hide_the_others() {
        let (cache, mut writer) = reflector::store();
        let rent = fixtures::service("rent", &json!({}));
        let mut former = serde_json::to_value(&rent).unwrap();
        former["metadata"]["name"] = json!("former");
        former["spec"] = json!({ "image": "innkeeper:0.1.0" });
        for object in [read(former), DeserializeGuard(Ok(rent))] {
            writer.apply_watcher_event(&watcher::Event::Apply(object));
        }
        let names: Vec<_> = readable(&cache).iter().map(|it| it.name_any()).collect();
        assert_eq!(names, ["rent"]);
    }
}

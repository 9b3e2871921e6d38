//! A rendered object of any kind.

use kube::Resource;
use kube::api::{ApiResource, DynamicObject};
use serde::Serialize;

/// An object as it should be, with its resource.
#[derive(Clone, Debug, PartialEq)]
pub struct Rendered {
    /// Group, version, kind and plural of the object.
    pub resource: ApiResource,
    pub object: DynamicObject,
}

impl Rendered {
    /// Wraps a typed object.
    pub fn of<K: Resource<DynamicType = ()> + Serialize>(object: &K) -> Self {
        let value = serde_json::to_value(object).expect("a Kubernetes object is plain data");
        let mut object: DynamicObject =
            serde_json::from_value(value).expect("a Kubernetes object has metadata");
        let resource = ApiResource::erase::<K>(&());
        object.types = Some(kube::api::TypeMeta {
            api_version: resource.api_version.clone(),
            kind: resource.kind.clone(),
        });
        Self { resource, object }
    }

    /// Name of the object.
    pub fn name(&self) -> &str {
        self.object.metadata.name.as_deref().unwrap_or_default()
    }

    /// The object as YAML.
    pub fn yaml(&self) -> String {
        serde_yaml::to_string(&self.object).expect("a Kubernetes object is plain data")
    }
}

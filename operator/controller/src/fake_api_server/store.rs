//! The objects, and what requests do to them.

use std::collections::{BTreeMap, HashMap};

use axum::http::StatusCode;
use serde_json::{Value, json};

use super::fields::{all, both, changed, ownable, owned, remove, set_owned, without};

/// The answer to a request, or its code with a message.
pub(super) type Answer = Result<Value, (StatusCode, String)>;
type Query = HashMap<String, String>;

/// What a request is about.
pub(super) struct Target {
    pub plural: String,
    /// Name of the object; empty if the request is about all of them.
    pub name: String,
    subresource: Option<String>,
}

impl Target {
    pub fn of(path: &str) -> Self {
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        let within = match parts.as_slice() {
            ["api", _, rest @ ..] | ["apis", _, _, rest @ ..] => rest,
            _ => &[],
        };
        let within = match within {
            ["namespaces", _, rest @ ..] if !rest.is_empty() => rest,
            within => within,
        };
        let mut within = within.iter().map(|it| (*it).to_owned());
        Self {
            plural: within.next().unwrap_or_default(),
            name: within.next().unwrap_or_default(),
            subresource: within.next(),
        }
    }

    /// The path of the object, such as `deployments/pay`.
    pub fn path(&self) -> String {
        format!("{}/{}", self.plural, self.name)
    }

    /// The resource, such as `domainservices/status`.
    pub fn resource(&self) -> String {
        let subresource = self.subresource.iter().map(String::as_str);
        let parts: Vec<_> = std::iter::once(&*self.plural).chain(subresource).collect();
        parts.join("/")
    }

    /// The resource and the object, such as `domainservices/pay/status`.
    pub fn shown(&self) -> String {
        let path = self.path();
        let path = path.trim_end_matches('/');
        self.resource().replacen(&self.plural, path, 1)
    }
}

/// The objects by their paths, such as `deployments/pay`.
#[derive(Default)]
pub(super) struct Store {
    pub objects: BTreeMap<String, Value>,
    version: u64,
}

impl Store {
    pub fn get(&self, path: &str) -> Answer {
        let object = self.objects.get(path).cloned();
        object.ok_or_else(|| (StatusCode::NOT_FOUND, format!("{path} is not found")))
    }

    pub fn list(&self, target: &Target, query: &Query) -> Answer {
        if let Some(unknown) = query.keys().find(|it| *it != "fieldSelector") {
            return Err((StatusCode::NOT_IMPLEMENTED, unknown.clone()));
        }
        let selector = query.get("fieldSelector").map_or("", String::as_str);
        let all = self.objects.iter();
        let all = all.filter(|(path, _)| path.split('/').next() == Some(&target.plural));
        let items: Vec<_> = all
            .map(|(_, object)| object)
            .filter(|object| is_selected(object, selector))
            .collect();
        Ok(json!({ "metadata": {}, "items": items }))
    }

    pub fn create(&mut self, path: &str, mut object: Value) -> Answer {
        if self.objects.contains_key(path) {
            return Err((StatusCode::CONFLICT, format!("{path} exists")));
        }
        let owner = ("kubectl-create", "Update", None);
        let fields = all(&ownable(&object));
        set_owned(&mut object, owner, &fields, &Value::Null);
        Ok(self.insert(path, object))
    }

    pub fn apply(&mut self, target: &Target, query: &Query, mut document: Value) -> Answer {
        let subresource = target.subresource.as_deref();
        let manager = (field_manager(query), "Apply", subresource);
        if subresource.is_none() {
            remove(&mut document, &json!({ "f:status": {} }));
        }
        let (path, sent) = (target.path(), ownable(&document));
        let is_new_object = subresource.is_none() && document["metadata"]["uid"].is_null();
        if is_new_object && !self.objects.contains_key(&path) {
            set_owned(&mut document, manager, &all(&sent), &Value::Null);
            return Ok(self.insert(&path, document));
        }
        let mut object = self.get(&path)?;
        check(&object, &document["metadata"])?;
        if !query.contains_key("force") {
            return Err((StatusCode::CONFLICT, format!("{path} has other managers")));
        }
        let dropped = without(&owned(&object, manager), &all(&sent));
        remove(&mut object, &dropped);
        let taken = changed(&ownable(&object), &sent);
        json_patch::merge(&mut object, &sent);
        set_owned(&mut object, manager, &all(&sent), &taken);
        Ok(self.replace(&path, object))
    }

    pub fn merge(&mut self, target: &Target, query: &Query, patch: &Value) -> Answer {
        self.update(&target.path(), field_manager(query), |object| {
            json_patch::merge(object, patch);
        })
    }

    pub fn patch(&mut self, target: &Target, query: &Query, patch: Value) -> Answer {
        let invalid = |error: String| (StatusCode::UNPROCESSABLE_ENTITY, error);
        let patch: json_patch::Patch =
            serde_json::from_value(patch).map_err(|error| invalid(error.to_string()))?;
        let mut patched = self.get(&target.path())?;
        json_patch::patch(&mut patched, &patch).map_err(|error| invalid(error.to_string()))?;
        self.update(&target.path(), field_manager(query), |object| {
            *object = patched;
        })
    }

    /// Changes an object as a manager that does not apply.
    pub fn update(&mut self, path: &str, name: &str, change: impl FnOnce(&mut Value)) -> Answer {
        let before = self.get(path)?;
        let mut after = before.clone();
        change(&mut after);
        check(&before, &after["metadata"])?;
        let (was, is) = (ownable(&before), ownable(&after));
        let manager = (name, "Update", None);
        let written = changed(&was, &is);
        let fields = both(owned(&after, manager), &written);
        let taken = both(without(&all(&was), &all(&is)), &written);
        set_owned(&mut after, manager, &fields, &taken);
        Ok(self.replace(path, after))
    }

    pub fn delete(&mut self, path: &str, options: &Value) -> Answer {
        let mut object = self.get(path)?;
        check(&object, &options["preconditions"])?;
        object["metadata"]["deletionTimestamp"] = json!("1970-01-01T00:00:00Z");
        Ok(self.replace(path, object))
    }

    fn insert(&mut self, path: &str, mut object: Value) -> Value {
        let metadata = &mut object["metadata"];
        let uid = metadata["uid"].as_str().unwrap_or(path);
        metadata["uid"] = json!(uid);
        metadata["creationTimestamp"] = json!("1970-01-01T00:00:00Z");
        metadata["generation"] = json!(1);
        self.write(path, object)
    }

    fn replace(&mut self, path: &str, mut object: Value) -> Value {
        let before = &self.objects[path];
        if *before == object {
            return object;
        }
        if before["spec"] != object["spec"] {
            let generation = before["metadata"]["generation"].as_i64();
            object["metadata"]["generation"] = json!(generation.unwrap_or(0) + 1);
        }
        let metadata = &object["metadata"];
        let is_held = (metadata["finalizers"].as_array()).is_some_and(|it| !it.is_empty());
        if metadata["deletionTimestamp"].is_null() || is_held {
            return self.write(path, object);
        }
        self.objects.remove(path);
        object
    }

    fn write(&mut self, path: &str, mut object: Value) -> Value {
        self.version += 1;
        object["metadata"]["resourceVersion"] = json!(self.version.to_string());
        self.objects.insert(path.to_owned(), object.clone());
        object
    }
}

fn field_manager(query: &Query) -> &str {
    query.get("fieldManager").map_or("unknown", String::as_str)
}

/// Refuses a request for another object of this name, or for another version.
fn check(object: &Value, asked: &Value) -> Result<(), (StatusCode, String)> {
    for field in ["uid", "resourceVersion"] {
        let has = &object["metadata"][field];
        if asked[field].is_string() && asked[field] != *has {
            return Err((StatusCode::CONFLICT, format!("the {field} is {has}")));
        }
    }
    Ok(())
}

/// Whether an object has the fields of a selector such as `spec.nodeName=a,status.phase!=Failed`.
fn is_selected(object: &Value, selector: &str) -> bool {
    let has = |path: &str, value: &str| {
        let found = object.pointer(&format!("/{}", path.replace('.', "/")));
        found.and_then(Value::as_str) == Some(value)
    };
    let mut terms = selector.split(',').filter(|it| !it.is_empty());
    terms.all(|term| match (term.split_once("!="), term.split_once('=')) {
        (Some((path, value)), _) => !has(path, value),
        (None, Some((path, value))) => has(path, value),
        (None, None) => false,
    })
}

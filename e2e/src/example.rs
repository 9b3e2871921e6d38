//! The example, unchanged or with changes.

use std::fs;

use serde_json::{Value, json};

/// The folder of the examples.
const EXAMPLES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../examples");

/// The text of the car rental.
pub fn text() -> String {
    fs::read_to_string(path()).unwrap()
}

/// The path of the car rental.
pub fn path() -> &'static str {
    concat!(env!("CARGO_MANIFEST_DIR"), "/../examples/rentcar.yaml")
}

/// The example with changes, as an object that can be applied.
#[derive(Clone, Debug)]
pub struct Example(Value);

impl Example {
    /// The car rental without changes.
    pub fn unchanged() -> Self {
        Self::of("rentcar")
    }

    /// The example with this name, without changes.
    pub fn of(name: &str) -> Self {
        let text = fs::read_to_string(format!("{EXAMPLES}/{name}.yaml")).unwrap();
        Self(serde_yaml::from_str(&text).unwrap())
    }

    /// A small car rental with this name.
    pub fn small(name: &str) -> Self {
        let mut example = Self::unchanged().shrunk();
        example.0["metadata"]["name"] = json!(name);
        example
    }

    /// Lets pods request little, so that several platforms fit on one node, and removes the
    /// autoscalers.
    #[must_use]
    pub fn shrunk(mut self) -> Self {
        for service in self.services() {
            service["resources"] = json!({ "requests": { "cpu": "10m", "memory": "16Mi" } });
            service.as_object_mut().unwrap().remove("autoscaling");
        }
        self
    }

    /// Changes a field of the specification.
    #[must_use]
    pub fn with(mut self, field: &str, value: Value) -> Self {
        self.0["spec"][field] = value;
        self
    }

    /// Changes a field of a service.
    #[must_use]
    pub fn with_service(mut self, service: &str, field: &str, value: Value) -> Self {
        self.service(service)[field] = value;
        self
    }

    /// Removes a service, and the columns that show it.
    #[must_use]
    pub fn without(mut self, service: &str) -> Self {
        let shows = |source: &Value| {
            source
                .as_str()
                .unwrap_or_default()
                .starts_with(&format!("{service}."))
        };
        self.services().retain(|it| it["name"] != service);
        for view in self
            .services()
            .iter_mut()
            .filter_map(|it| it.get_mut("view"))
        {
            let columns = view["columns"].as_array_mut().unwrap();
            columns.retain(|column| !shows(&column["from"]));
            for latest in columns
                .iter_mut()
                .filter_map(|column| column.get_mut("latestOf"))
            {
                latest
                    .as_array_mut()
                    .unwrap()
                    .retain(|source| !shows(source));
            }
        }
        self
    }

    /// Reverses the order of the services.
    #[must_use]
    pub fn reversed(mut self) -> Self {
        self.services().reverse();
        self
    }

    /// Names of the services.
    pub fn names(&self) -> Vec<String> {
        let services = self.0["spec"]["services"].as_array().unwrap();
        services
            .iter()
            .map(|service| service["name"].as_str().unwrap().to_owned())
            .collect()
    }

    /// The example as a manifest.
    pub fn manifest(&self) -> String {
        self.0.to_string()
    }

    fn services(&mut self) -> &mut Vec<Value> {
        self.0["spec"]["services"].as_array_mut().unwrap()
    }

    fn service(&mut self, name: &str) -> &mut Value {
        let mut services = self.services().iter_mut();
        services.find(|service| service["name"] == name).unwrap()
    }
}

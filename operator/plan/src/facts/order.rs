//! The order of the lists in a service on the cluster.

use serde_json::Value;

/// The names in the lists of a service, in their order on the cluster.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Order {
    pub(crate) waits_for: Vec<String>,
    pub(crate) routes: Vec<String>,
    pub(crate) bookings: Vec<String>,
    pub(crate) payments: Vec<String>,
}

impl Order {
    /// The order in the spec of a DomainService. It is read as plain JSON, so that the order is
    /// kept even if this release cannot read the spec, such as one of an earlier release.
    pub fn of(spec: &Value) -> Self {
        let component = |list: &str| {
            let present = spec.pointer(&format!("/settings/component{list}"));
            names(present.or_else(|| spec.pointer(list)))
        };
        let either = |one: &str, other: &str| {
            let names = component(one);
            if names.is_empty() {
                component(other)
            } else {
                names
            }
        };
        Self {
            waits_for: names(spec.pointer("/waitsFor")),
            routes: component("/gateway/routes"),
            bookings: either("/payment/bookings", "/fulfillment/bookings"),
            payments: component("/fulfillment/payments"),
        }
    }
}

/// The names in a list, whose items are names or objects that name a service.
fn names(list: Option<&Value>) -> Vec<String> {
    let items = list.and_then(Value::as_array).into_iter().flatten();
    let name = |item: &Value| {
        item.as_str()
            .or_else(|| item["service"].as_str())
            .map(str::to_owned)
    };
    items.filter_map(name).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_service_of_an_earlier_release_has_the_same_order() {
        let routes = json!([{ "service": "pay", "paths": [] }, { "service": "rent", "paths": [] }]);
        let gateway = json!({ "routes": routes });
        let present = json!({ "settings": { "component": { "gateway": gateway } } });
        let former = json!({ "gateway": gateway, "platform": "rentcar" });
        assert_eq!(Order::of(&present).routes, ["pay", "rent"]);
        assert_eq!(Order::of(&former), Order::of(&present));
        let rent = json!({ "payments": ["pay", "till"], "bookings": ["tours", "stays"] });
        let present =
            json!({ "settings": { "component": { "fulfillment": rent } }, "waitsFor": ["pay"] });
        let former = json!({ "fulfillment": rent });
        let order = Order::of(&former);
        assert_eq!((order.payments.len(), order.bookings.len()), (2, 2));
        assert_eq!(Order::of(&present).bookings, ["tours", "stays"]);
        assert_eq!(Order::of(&present).waits_for, ["pay"]);
        let pay = json!({ "payment": { "bookings": ["tours", "stays"] } });
        assert_eq!(Order::of(&pay).bookings, ["tours", "stays"]);
    }
}

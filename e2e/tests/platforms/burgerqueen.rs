//! The second example: sauce is ordered, paid at once and delivered, in its own words.

use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::kafka;
use innkeeper_e2e::kubernetes::TOPICS;
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::rows::check_fields;
use serde_json::{Value, json};

const BURGERQUEEN: Namespace = Namespace("burgerqueen");

pub fn lane() -> Lane {
    Lane {
        name: "burgerqueen",
        namespaces: &["burgerqueen"],
        claims: claims![
            sauce_is_ordered_paid_and_delivered,
            without_payment_an_order_is_refused_and_nothing_is_half_done,
        ],
    }
}

/// The example, small enough to share the node with other platforms.
fn example() -> Example {
    Example::of("burgerqueen").shrunk()
}

/// Waits until a list has exactly one row with this order, and that has these fields.
fn await_row(list: &str, key: &str, expected: &Value) {
    BURGERQUEEN.until(list, || {
        let page = BURGERQUEEN.read(list);
        let rows = page["_embedded"][&list[1..]].as_array().unwrap().clone();
        let of_it: Vec<_> = rows
            .iter()
            .filter(|row| row[key] == expected[key])
            .collect();
        match of_it[..] {
            [row] => check_fields(row, expected),
            _ => Err(page.to_string()),
        }
    });
}

fn sauce_is_ordered_paid_and_delivered() {
    BURGERQUEEN.create();
    BURGERQUEEN.create_secret();
    BURGERQUEEN.apply(&example().manifest());
    BURGERQUEEN.await_ready("burgerqueen");

    let order = json!({ "branchId": "1", "sauceId": "1", "qty": "10", "price": "10000" });
    let ordered = BURGERQUEEN.call("POST", "/orders", &order);
    assert_eq!(
        (ordered.status, ordered.header("location")),
        (201, "/orders/1"),
        "{}",
        ordered.body
    );
    assert_eq!(ordered.body["state"], "Registered");
    let paid = json!({ "orderId": 1, "price": 10000, "status": "captured" });
    await_row("/payments", "orderId", &paid);
    let prepared = json!({
        "orderId": 1, "branchLoc": "1", "sauceId": "1", "qty": 10, "State": "Preparing",
    });
    await_row("/deliveries", "orderId", &prepared);
    let shown = |state: &str| {
        json!({
            "orderId": 1, "branchId": "1", "sauceId": "1", "qty": 10, "price": 10000, "state": state,
        })
    };
    await_row("/orderDashboards", "orderId", &shown("Preparing"));

    let complete = json!({ "State": "Complete" });
    let delivered = BURGERQUEEN.call("PATCH", "/deliveries/1", &complete);
    assert_eq!(delivered.status, 200, "{}", delivered.body);
    let completed = json!({ "id": 1, "state": "completed" });
    await_row("/orders", "id", &completed);
    await_row("/orderDashboards", "orderId", &shown("Complete"));
}

fn without_payment_an_order_is_refused_and_nothing_is_half_done() {
    let off = example().with_service("payment", "replicas", json!(0));
    BURGERQUEEN.apply(&off.manifest());
    BURGERQUEEN.await_reason("payment", "Off");
    BURGERQUEEN.await_no_pods("payment");
    let topic = BURGERQUEEN.fetch(TOPICS, "burgerqueen")["spec"]["topicName"].clone();
    let records = || kafka::fetch_records(topic.as_str().unwrap()).len();
    let before = records();
    let order = json!({ "branchId": "2", "sauceId": "3", "qty": "1", "price": "500" });
    let key = [("idempotency-key", "an-interrupted-order")];
    let refused = BURGERQUEEN.call_with("POST", "/orders", &order, &key);
    assert_eq!(refused.status, 503, "{}", refused.body);
    assert_eq!(refused.header("content-type"), "application/problem+json");
    assert_eq!(records(), before, "nobody was told");

    BURGERQUEEN.apply(&example().manifest());
    BURGERQUEEN.await_reason("payment", "Ready");
    let settled = BURGERQUEEN.until("the order is settled", || {
        match BURGERQUEEN.call_with("POST", "/orders", &order, &key) {
            answer if answer.status == 201 => Ok(answer),
            answer => Err(format!("{answer:?}")),
        }
    });
    let id = settled.body["id"].clone();
    let paid = json!({ "orderId": id, "price": 500, "status": "captured" });
    await_row("/payments", "orderId", &paid);
    let prepared = json!({ "orderId": id, "branchLoc": "2", "State": "Preparing" });
    await_row("/deliveries", "orderId", &prepared);
}

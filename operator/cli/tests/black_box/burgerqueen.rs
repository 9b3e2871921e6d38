//! The calls of the seed system S3, in its words.

use serde_json::{Value, json};

use crate::http::{post, send, with};
use crate::platform::Platform;

/// What a branch sends: all values are strings.
fn branchs_order() -> Value {
    json!({ "branchId": "1", "sauceId": "1", "qty": "10", "price": "10000" })
}

#[tokio::test]
async fn sauce_is_ordered_paid_and_delivered() {
    let platform = Platform::burgerqueen();
    let innkeeper = platform.ready(&[]).await;

    let order = post("/orders", &branchs_order());
    let ordered = send(platform.port("order"), order).await.unwrap();
    assert_eq!(
        (ordered.status, ordered.header("location")),
        (201, "/orders/1")
    );
    assert_eq!(
        ordered.json(),
        json!({
            "id": 1, "branchId": "1", "sauceId": "1", "qty": 10, "price": 10000, "state": "Registered",
            "_links": { "self": { "href": "/orders/1" } },
        })
    );
    platform
        .soon_shows(
            "/payments",
            json!({ "id": 1, "orderId": 1, "price": 10000, "status": "captured" }),
        )
        .await;
    let prepared = json!({ "id": 1, "orderId": 1, "branchLoc": "1", "sauceId": "1", "qty": 10, "State": "Preparing" });
    platform.soon_shows("/deliveries", prepared).await;
    let row = |state: &str| json!({ "orderId": 1, "branchId": "1", "sauceId": "1", "qty": 10, "price": 10000, "state": state });
    platform
        .soon_shows("/orderDashboards", row("Preparing"))
        .await;

    let delivered = platform
        .patch("/deliveries/1", &json!({ "State": "Complete" }))
        .await;
    assert_eq!(
        (delivered.status, delivered.json()["State"].as_str()),
        (200, Some("Complete"))
    );
    platform
        .soon_shows("/orders", json!({ "id": 1, "state": "completed" }))
        .await;
    // The order's own last state has no label, and takes no part in the latest of several.
    platform
        .soon_shows("/orderDashboards", row("Complete"))
        .await;
    innkeeper.stop().await;
}

#[tokio::test]
async fn without_payment_an_order_is_refused_and_nothing_is_half_done() {
    let platform = Platform::burgerqueen();
    let innkeeper = platform.ready(&["--without", "payment"]).await;
    let order = || with(post("/orders", &branchs_order()), "idempotency-key", "one");

    let refused = platform.send(order()).await;
    assert_eq!(
        (refused.status, refused.header("content-type")),
        (503, "application/problem+json")
    );
    assert!(refused.header("retry-after").parse::<u32>().is_ok());
    assert_eq!(platform.get("/orders/1").await.json()["state"], "pending");
    for list in ["/deliveries", "/orderDashboards"] {
        assert!(platform.items(list).await.is_empty(), "{list}");
    }
    innkeeper.stop().await;

    let innkeeper = platform.ready(&[]).await;
    assert_eq!(platform.send(order()).await.status, 201);
    platform
        .soon_shows("/payments", json!({ "orderId": 1, "status": "captured" }))
        .await;
    platform
        .soon_shows(
            "/orderDashboards",
            json!({ "orderId": 1, "state": "Preparing" }),
        )
        .await;
    innkeeper.stop().await;
}

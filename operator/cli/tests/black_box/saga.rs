//! The calls of the seed system S0, in its words.

use innkeeper_testkit::patience::until_within;
use serde_json::json;

use crate::http::{get, patch, post, send};
use crate::platform::{Platform, SOON, items, kims_wish};

#[tokio::test]
async fn a_car_is_reserved_paid_picked_up_and_given_back_through_the_gateway() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;

    let reserved = rentcar.post("/reservations", &kims_wish()).await;
    assert_eq!(
        (reserved.status, reserved.header("location")),
        (201, "/reservations/1")
    );
    assert_eq!(
        reserved.json(),
        json!({
            "id": 1, "userName": "kim", "carId": "7", "price": 50000, "userHp": "010-1234-5678", "period": 3,
            "status": "Reserved", "_links": { "self": { "href": "/reservations/1" } },
        })
    );
    let row = json!({ "reservationId": 1, "payId": 1, "rentId": null, "userName": "kim", "userHp": "010-1234-5678",
        "carId": "7", "period": 3, "price": 50000, "status": "Reserved" });
    rentcar.soon_shows("/myReservations", row).await;
    assert_eq!(
        rentcar.get("/pays/1").await.json(),
        json!({
            "id": 1, "reservationId": 1, "userName": "kim", "carId": "7", "price": 50000, "userHp": "010-1234-5678",
            "period": 3, "status": "Reserved", "_links": { "self": { "href": "/pays/1" } },
        })
    );

    let shown =
        |status: &str| json!({ "reservationId": 1, "payId": 1, "rentId": 1, "status": status });
    let paid = rentcar
        .patch("/pays/1", &json!({ "status": "payed" }))
        .await;
    assert_eq!(
        (paid.status, paid.json()["status"].as_str()),
        (200, Some("payed"))
    );
    let rent =
        json!({ "id": 1, "reservationId": 1, "payId": 1, "userName": "kim", "status": "payed" });
    rentcar.soon_shows("/rents", rent).await;
    rentcar.soon_shows("/myReservations", shown("payed")).await;

    let cancelled = rentcar
        .patch("/reservations/1", &json!({ "status": "canceled" }))
        .await;
    assert_eq!(
        (cancelled.status, cancelled.json()["status"].as_str()),
        (200, Some("canceled"))
    );
    rentcar
        .soon_shows("/myReservations", shown("canceled"))
        .await;
    rentcar
        .soon_shows("/pays", json!({ "id": 1, "status": "canceled" }))
        .await;
    rentcar
        .soon_shows("/rents", json!({ "id": 1, "status": "canceled" }))
        .await;
    innkeeper.stop().await;
}

#[tokio::test]
async fn every_service_answers_on_its_own_port_too() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;

    let reserved = send(
        rentcar.port("reservation"),
        post("/reservations", &kims_wish()),
    )
    .await
    .unwrap();
    assert_eq!(
        (reserved.status, reserved.header("location")),
        (201, "/reservations/1")
    );
    let paid = patch("/pays/1", &json!({ "status": "payed" }));
    assert_eq!(send(rentcar.port("pay"), paid).await.unwrap().status, 200);
    for (service, list) in [("rent", "/rents"), ("myreservation", "/myReservations")] {
        until_within(SOON, "the payment is everywhere", async || {
            let page = send(rentcar.port(service), get(list)).await.unwrap().json();
            let rows = items(&page, list);
            if rows.len() == 1 && rows[0]["status"] == "payed" {
                Ok(())
            } else {
                Err(page.to_string())
            }
        })
        .await;
    }
    innkeeper.stop().await;
}

#[tokio::test]
async fn an_authorized_payment_that_is_cancelled_ends_the_saga_everywhere() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;

    rentcar.post("/reservations", &kims_wish()).await;
    let voided = rentcar
        .patch("/pays/1", &json!({ "status": "canceled" }))
        .await;

    assert_eq!(
        (voided.status, voided.json()["status"].as_str()),
        (200, Some("canceled"))
    );
    rentcar
        .soon_shows("/reservations", json!({ "id": 1, "status": "canceled" }))
        .await;
    rentcar
        .soon_shows(
            "/myReservations",
            json!({ "reservationId": 1, "rentId": null, "status": "canceled" }),
        )
        .await;
    assert!(rentcar.items("/rents").await.is_empty());
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_declined_payment_rejects_the_reservation() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let mut wish = kims_wish();
    wish["price"] = json!("10000001");

    let refused = rentcar.post("/reservations", &wish).await;

    assert_eq!(
        (refused.status, refused.header("content-type")),
        (402, "application/problem+json")
    );
    rentcar
        .soon_shows("/reservations", json!({ "id": 1, "status": "rejected" }))
        .await;
    rentcar
        .soon_shows("/pays", json!({ "reservationId": 1, "status": "declined" }))
        .await;
    rentcar
        .soon_shows(
            "/myReservations",
            json!({ "reservationId": 1, "status": "rejected" }),
        )
        .await;
    innkeeper.stop().await;
}

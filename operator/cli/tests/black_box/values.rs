//! Values are kept as they were sent, or refused: from a request to its row, calls, events and
//! view.

use std::fs;

use hyper::Request;
use innkeeper_testkit::patience::until;
use serde_json::{Value, json};

#[cfg(feature = "services")]
use crate::crash::Site;
use crate::http::{patch_text, post_text, with};
use crate::platform::{Platform, kims_wish};

/// More digits than a 64-bit number has.
const LONG: &str = "12345678901234567890123";

fn wish(body: &str) -> Request<String> {
    post_text("/reservations", body)
}

/// Asserts that numbers for texts keep their digits in rows, calls, events and the view.
async fn keeps_digits(rentcar: &Platform) {
    let body = format!("{{\"userName\":1e2,\"carId\":{LONG},\"userHp\":-0.10,\"price\":50000}}");
    let reserved = rentcar.send(wish(&body)).await;

    assert_eq!(reserved.status, 201, "{}", reserved.text);
    let mut sent = json!({ "userName": "1e2", "carId": LONG, "userHp": "-0.10" });
    for list in ["/reservations", "/pays", "/myReservations"] {
        rentcar.shows(list, &sent).await;
    }
    let paid = json!({ "status": "payed" });
    let paid = rentcar.patch("/pays/1", &paid).await;
    assert_eq!(paid.status, 200, "{}", paid.text);
    rentcar.shows("/rents", &json!({ "userName": "1e2" })).await;
    sent["status"] = json!("payed");
    rentcar.shows("/myReservations", &sent).await;
}

#[tokio::test]
async fn a_number_for_a_text_keeps_its_digits_from_the_request_to_the_view() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    keeps_digits(&rentcar).await;
    innkeeper.stop().await;
}

#[cfg(feature = "services")]
#[tokio::test]
async fn a_number_for_a_text_keeps_its_digits_on_postgresql_and_kafka() {
    let site = Site::make().await;
    let _processes = site.start_all();
    site.listens().await;
    keeps_digits(site.rentcar()).await;
}

#[tokio::test]
async fn a_number_that_breaks_its_type_or_bound_is_refused() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let whole = "must be a whole number";
    for (period, price, details) in [
        ("1.0", "1e2", [whole, whole]),
        ("1e400", "0.5", [whole, whole]),
        (
            "9223372036854775808",
            "-9223372036854775809",
            ["must be at most 9223372036854775807", "must be at least 0"],
        ),
        ("-0", "-1", ["must be at least 1", "must be at least 0"]),
    ] {
        let body = format!("{{\"userName\":1,\"carId\":1,\"period\":{period},\"price\":{price}}}");
        let said = rentcar.send(wish(&body)).await.faults();
        let expected = [("/price", details[1]), ("/period", details[0])]
            .map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned()));
        assert_eq!(said, expected, "{body}");
    }
    let long = format!("{{\"userName\":1,\"carId\":1,\"userHp\":{LONG}}}");
    assert_eq!(rentcar.send(wish(&long)).await.pointers(), ["/userHp"]);
    assert!(rentcar.items("/reservations").await.is_empty());
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_key_belongs_to_a_body_by_every_digit_and_in_any_order() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let keyed = |body: String| with(wish(&body), "idempotency-key", "kims");
    let first = format!("{{\"userName\":\"k\",\"carId\":{LONG},\"more\":{{\"a\":1,\"b\":[2]}}}}");
    let made = rentcar.send(keyed(first.clone())).await;
    assert_eq!(made.status, 201, "{}", made.text);

    let turned = format!("{{\"more\":{{\"b\":[2],\"a\":1}},\"carId\":{LONG},\"userName\":\"k\"}}");
    for same in [first.clone(), turned] {
        let again = rentcar.send(keyed(same)).await;
        assert_eq!((again.status, &again.text), (201, &made.text));
    }
    for other in [
        first.replace(LONG, "12345678901234567890124"),
        first.replace("[2]", "[2.0]"),
        first.replace(LONG, &format!("\"{LONG}\"")),
    ] {
        assert_eq!(rentcar.send(keyed(other)).await.pointers(), [""]);
    }
    assert_eq!(rentcar.items("/reservations").await.len(), 1);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_key_replays_its_answer_though_the_file_has_become_stricter() {
    let rentcar = Platform::rentcar();
    let keyed = || {
        let body = kims_wish().to_string();
        with(wish(&body), "idempotency-key", "kims")
    };
    let innkeeper = rentcar.ready(&[]).await;
    let made = rentcar.send(keyed()).await;
    assert_eq!(made.status, 201, "{}", made.text);
    innkeeper.stop().await;

    let rentcar = rentcar.with("maxLength: 20 }", "maxLength: 3 }");
    let innkeeper = rentcar.ready(&[]).await;
    let again = rentcar.send(keyed()).await;
    assert_eq!((again.status, again.text), (201, made.text));
    let anew = rentcar.send(wish(&kims_wish().to_string())).await;
    assert_eq!(anew.pointers(), ["/userHp"]);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_member_given_twice_is_refused_wherever_it_is() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    for (body, pointer) in [
        (r#"{"userName":"k","carId":1,"carId":2}"#, "/carId"),
        (r#"{"userName":"k","carId":1,"carId":1}"#, "/carId"),
        (r#"{"userName":"k","carId":1,"a":{"b":1,"b":2}}"#, "/a/b"),
    ] {
        assert_eq!(rentcar.send(wish(body)).await.pointers(), [pointer]);
    }
    assert!(rentcar.items("/reservations").await.is_empty());

    rentcar.post("/reservations", &kims_wish()).await;
    let twice = patch_text("/pays/1", r#"{"status":"canceled","status":"payed"}"#);
    assert_eq!(rentcar.send(twice).await.pointers(), ["/status"]);
    assert_eq!(rentcar.get("/pays/1").await.json()["status"], "Reserved");
    innkeeper.stop().await;
}

/// Kim's wish with one more member, or another value of one.
fn kims_wish_with(name: &str, value: Value) -> Value {
    let mut wish = kims_wish();
    wish[name] = value;
    wish
}

#[tokio::test]
async fn another_currency_is_refused_under_each_of_its_names() {
    let words = "fields: { customer: userName, item: carId, amount: price }";
    let mapped = "fields: { customer: userName, item: carId, amount: price, currency: money }";
    for (instead, names) in [
        (words, &["currency"][..]),
        (mapped, &["money", "currency"][..]),
    ] {
        let rentcar = Platform::rentcar().with(words, instead);
        let innkeeper = rentcar.ready(&[]).await;
        for name in names {
            let refused = kims_wish_with(name, json!("USD"));
            let refused = rentcar.post("/reservations", &refused).await;
            assert_eq!(refused.pointers(), [format!("/{name}")]);
            let taken = kims_wish_with(name, json!("KRW"));
            let taken = rentcar.post("/reservations", &taken).await;
            assert_eq!(taken.status, 201, "{}", taken.text);
        }
        let made = rentcar.items("/reservations").await;
        assert_eq!(made.len(), names.len());
        innkeeper.stop().await;
    }
}

#[tokio::test]
async fn a_platform_without_a_currency_takes_none() {
    let rentcar = Platform::rentcar().with("  currency: KRW\n", "");
    let innkeeper = rentcar.ready(&[]).await;
    let refused = kims_wish_with("currency", json!("KRW"));
    let refused = rentcar.post("/reservations", &refused).await;
    assert_eq!(refused.pointers(), ["/currency"]);
    let without = rentcar.post("/reservations", &kims_wish()).await;
    assert_eq!(without.status, 201, "{}", without.text);
    innkeeper.stop().await;
}

#[tokio::test]
async fn money_is_found_under_its_canonical_name_too() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let wish = json!({ "customer": "kim", "carId": 7, "amount": "10000001" });
    assert_eq!(rentcar.post("/reservations", &wish).await.status, 402);
    innkeeper.stop().await;
}

#[tokio::test]
async fn texts_are_as_long_as_declared_and_not_blank_where_required() {
    let rentcar = Platform::rentcar().with("maxLength: 20 }", "minLength: 3, maxLength: 20 }");
    let innkeeper = rentcar.ready(&[]).await;
    for blank in ["", "  ", "\u{200b}", "\u{2800}\u{3164}"] {
        let refused = kims_wish_with("userName", json!(blank));
        let refused = rentcar.post("/reservations", &refused).await;
        assert_eq!(refused.pointers(), ["/userName"], "{blank:?}");
    }
    let short = kims_wish_with("userHp", json!("01"));
    let short = rentcar.post("/reservations", &short).await;
    let expected = "must have at least 3 characters".to_owned();
    assert_eq!(short.faults(), [("/userHp".to_owned(), expected)]);
    let untrimmed = kims_wish_with("userName", json!(" kim "));
    let untrimmed = rentcar.post("/reservations", &untrimmed).await;
    assert_eq!(untrimmed.json()["userName"], " kim ", "{}", untrimmed.text);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_change_that_contradicts_its_row_is_refused_and_nothing_happens() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    rentcar.post("/reservations", &kims_wish()).await;
    rentcar.post("/reservations", &kims_wish()).await;
    let paying = rentcar
        .patch("/pays/2", &json!({ "status": "payed" }))
        .await;
    assert_eq!(paying.status, 200, "{}", paying.text);
    until("there is one rent", async || {
        match rentcar.items("/rents").await.len() {
            1 => Ok(()),
            rents => Err(format!("{rents} rents")),
        }
    })
    .await;
    let rows = ["/reservations/1", "/pays/1", "/rents/1"];
    let mut before = Vec::new();
    for row in rows {
        before.push(rentcar.get(row).await.text);
    }

    for (row, label, contradiction, status) in [
        ("/pays/1", "payed", json!({ "id": 2 }), 409),
        ("/pays/1", "payed", json!({ "reservationId": "2" }), 409),
        ("/pays/1", "payed", json!({ "booking": 2, "price": 1 }), 409),
        ("/pays/1", "payed", json!({ "price": 1 }), 422),
        ("/pays/1", "payed", json!({ "amount": "1" }), 422),
        ("/pays/1", "payed", json!({ "currency": "USD" }), 422),
        ("/pays/1", "Reserved", json!({ "price": 1 }), 422),
        ("/reservations/1", "canceled", json!({ "id": "08" }), 422),
        ("/reservations/1", "canceled", json!({ "payment": 2 }), 409),
        (
            "/reservations/1",
            "canceled",
            json!({ "price": "50001" }),
            422,
        ),
        (
            "/reservations/1",
            "canceled",
            json!({ "currency": "krw" }),
            422,
        ),
        ("/rents/1", "canceled", json!({ "payId": 1 }), 409),
        ("/rents/1", "canceled", json!({ "reservationId": 1 }), 409),
        ("/rents/1", "canceled", json!({ "amount": 1 }), 422),
    ] {
        let mut change = contradiction;
        change["status"] = json!(label);
        let refused = rentcar.patch(row, &change).await;
        assert_eq!(refused.status, status, "{row} {change}: {}", refused.text);
    }

    let mut after = Vec::new();
    for row in rows {
        after.push(rentcar.get(row).await.text);
    }
    assert_eq!(after, before);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_change_of_nothing_is_refused_and_lists_what_can_be_changed() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    rentcar.post("/reservations", &kims_wish()).await;
    let paid = json!({ "status": "payed" });
    rentcar.patch("/pays/1", &paid).await;
    rentcar.shows("/rents", &paid).await;

    for change in [
        json!({ "Status": "payed" }),
        json!({ "price": 999_999 }),
        json!({ "status": null }),
        json!({ "id": 1 }),
        json!({}),
    ] {
        for (row, labels) in [
            ("/reservations/1", "canceled"),
            ("/pays/1", "payed, canceled"),
            ("/rents/1", "payed, completed, canceled"),
        ] {
            let said = rentcar.patch(row, &change).await.faults();
            let [(pointer, detail)] = &said[..] else {
                panic!("{said:?}")
            };
            assert_eq!(pointer, "");
            assert!(
                detail.ends_with(&format!("status, to one of {labels}")),
                "{detail}"
            );
        }
    }
    assert_eq!(rentcar.get("/pays/1").await.json()["price"], 50_000);
    innkeeper.stop().await;
}

/// The example in the words of S2.
fn market() -> Platform {
    let rentcar = Platform::rentcar();
    let text = fs::read_to_string(rentcar.file()).unwrap();
    let text = text
        .replace("item: carId, amount: price", "item: productId")
        .replace("from: reservation.carId", "from: reservation.productId")
        .replace("          - { name: price, from: reservation.price }\n", "")
        .replace("required: [userName, carId]", "required: [productId]")
        .replace(
            "statuses: { confirmed: Reserved, cancelled: canceled }",
            "statuses: { confirmed: \"01\", cancelled: \"02\" }",
        )
        .replace(
            "statuses: { authorized: Reserved, captured: payed,",
            "statuses: { authorized: \"01\", captured: \"02\",",
        )
        .replace(
            "path: /reservations\n",
            "path: /reservations\n      aliases: { create: /reservation, update: /reservationupdate }\n",
        )
        .replace(
            "path: /pays\n",
            "path: /payments\n      aliases: { update: /paid }\n",
        );
    let text = text
        .replacen(
            "customer: userName, item: productId",
            "customer: userName, item: productId, status: reservationStatus",
            1,
        )
        .replace(
            "booking: reservationId, customer: userName, item: productId",
            "booking: reservationId, customer: userName, item: productId, status: paymentStatus",
        )
        .replace(
            "reservation.status, pay.status",
            "reservation.reservationStatus, pay.paymentStatus",
        );
    fs::write(rentcar.file(), text).unwrap();
    rentcar
}

#[tokio::test]
async fn the_changes_that_s2_documents_work_as_documented() {
    let market = market();
    let innkeeper = market.ready(&[]).await;
    for product in ["3", "2"] {
        let wish = json!({ "productId": product, "reservationStatus": "01" });
        let reserved = market.post("/reservation", &wish).await;
        assert_eq!(reserved.status, 201, "{}", reserved.text);
    }

    let paid = json!({ "id": "1", "reservationId": "1", "productId": "3", "paymentStatus": "02" });
    let paid = market.patch("/paid", &paid).await;
    assert_eq!(
        (paid.status, &paid.json()["paymentStatus"]),
        (200, &json!("02")),
        "{}",
        paid.text
    );
    let cancelled = json!({ "id": "2", "productId": "1", "reservationStatus": "02" });
    let cancelled = market.patch("/reservationupdate", &cancelled).await;
    let row = cancelled.json();
    assert_eq!(
        (
            cancelled.status,
            &row["productId"],
            &row["reservationStatus"]
        ),
        (200, &json!("2"), &json!("02")),
        "{row}"
    );
    assert_eq!(
        market.get("/reservations/1").await.json()["reservationStatus"],
        "01"
    );

    let wrong = json!({ "id": "1", "reservationId": "2", "paymentStatus": "02" });
    assert_eq!(market.patch("/paid", &wrong).await.status, 409);
    innkeeper.stop().await;
}

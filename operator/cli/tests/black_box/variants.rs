//! Variants of the example that differ in one thing each, and concurrent requests that wait for or
//! cancel one another.

use std::cell::RefCell;

use futures::future::join_all;
use hyper::Request;
use innkeeper_testkit::patience::until;
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::http::{Answer, post, send, with};
use crate::platform::{Platform, kims_wish};

/// How many clients send requests while the process ends, and how many answers they get before.
const CLIENTS: usize = 8;
const ANSWERS: usize = 40;

#[tokio::test]
async fn with_automatic_capture_the_money_is_taken_and_the_rent_begins_unasked() {
    let manual = "capture: Manual # the client says when: PATCH {\"status\": \"payed\"}";
    let rentcar = Platform::rentcar().with(manual, "capture: Automatic");
    let innkeeper = rentcar.ready(&[]).await;

    let reserved = rentcar.post("/reservations", &kims_wish()).await;
    assert_eq!(reserved.status, 201, "{}", reserved.text);

    rentcar
        .shows("/pays", &json!({ "id": 1, "status": "payed" }))
        .await;
    rentcar
        .shows("/rents", &json!({ "id": 1, "status": "payed" }))
        .await;
    let row = json!({ "reservationId": 1, "payId": 1, "rentId": 1, "status": "payed" });
    rentcar.shows("/myReservations", &row).await;
    innkeeper.stop().await;
}

#[tokio::test]
async fn with_payment_later_a_reservation_holds_at_once_and_is_paid_when_its_client_says_so() {
    let rentcar = Platform::rentcar().with(
        "payment: { service: pay, when: OnPlacement }",
        "payment: { service: pay, when: Later }",
    );
    let innkeeper = rentcar.ready(&["--without", "pay"]).await;
    let reserved = rentcar.post("/reservations", &kims_wish()).await;
    assert_eq!(reserved.status, 201, "nobody is called: {}", reserved.text);
    assert_eq!(reserved.json()["status"], "Reserved");
    innkeeper.stop().await;

    let innkeeper = rentcar.ready(&[]).await;
    let requested = json!({ "id": 1, "reservationId": 1, "price": 50000, "status": "requested" });
    rentcar.shows("/pays", &requested).await;
    assert!(rentcar.items("/rents").await.is_empty(), "nothing is paid");
    let paid = json!({ "status": "payed" });
    assert_eq!(rentcar.patch("/pays/1", &paid).await.status, 200);

    rentcar
        .shows("/rents", &json!({ "id": 1, "status": "payed" }))
        .await;
    let row = json!({ "reservationId": 1, "payId": 1, "rentId": 1, "status": "payed" });
    rentcar.shows("/myReservations", &row).await;
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_reservation_that_nobody_pays_in_time_expires_and_one_that_is_paid_stays() {
    let rentcar = Platform::rentcar().with(
        "payment: { service: pay, when: OnPlacement }",
        "payment: { service: pay, when: Later, payWithin: 6s }",
    );
    let innkeeper = rentcar.ready(&[]).await;
    let paid = json!({ "status": "payed" });
    let status_of = async |path: &str| rentcar.get(path).await.json()["status"].clone();
    rentcar.post("/reservations", &kims_wish()).await;
    let requested = json!({ "reservationId": 1, "status": "requested" });
    rentcar.shows("/pays", &requested).await;
    assert_eq!(rentcar.patch("/pays/1", &paid).await.status, 200);
    rentcar.post("/reservations", &kims_wish()).await;

    until("the end of the second reservation", async || {
        let rows = rentcar.items("/myReservations").await;
        let ended = |it: &Value| it["reservationId"] == 2 && it["status"] == "expired";
        rows.iter()
            .any(ended)
            .then_some(())
            .ok_or(format!("{rows:?}"))
    })
    .await;
    assert_eq!(status_of("/reservations/2").await, "expired");
    assert_eq!(status_of("/pays/2").await, "canceled", "it is voided");
    let too_late = rentcar.patch("/pays/2", &paid).await;
    assert_eq!(too_late.status, 409, "{}", too_late.text);
    assert_eq!(status_of("/reservations/1").await, "Reserved", "it is paid");
    innkeeper.stop().await;
}

#[tokio::test]
async fn aliases_are_further_paths_through_the_gateway() {
    let aliases =
        "aliases: { create: /reservation, list: /allReservations, update: /reservationupdate }";
    let rentcar = Platform::rentcar()
        .with(
            "path: /reservations\n",
            &format!("path: /reservations\n      {aliases}\n"),
        )
        .with(
            "path: /pays\n",
            "path: /pays\n      aliases: { update: /paid }\n",
        );
    let innkeeper = rentcar.ready(&[]).await;

    let reserved = rentcar.post("/reservation", &kims_wish()).await;
    assert_eq!(
        (reserved.status, reserved.header("location")),
        (201, "/reservations/1")
    );
    let listed = rentcar.get("/allReservations").await.json();
    assert_eq!(
        listed["_embedded"],
        rentcar.get("/reservations").await.json()["_embedded"]
    );
    assert_eq!(listed["_embedded"]["reservations"][0]["id"], 1, "{listed}");
    let paid = json!({ "id": "1", "status": "payed" });
    let paid = rentcar.patch("/paid", &paid).await;
    assert_eq!(
        (paid.status, &paid.json()["status"]),
        (200, &json!("payed"))
    );
    let cancel = json!({ "id": 1, "status": "canceled" });
    assert_eq!(
        rentcar.patch("/reservationupdate", &cancel).await.status,
        200
    );
    assert_eq!(
        rentcar.get("/reservations/1").await.json()["status"],
        "canceled"
    );

    let nobody = rentcar
        .patch("/reservationupdate", &json!({ "status": "canceled" }))
        .await;
    assert_eq!(nobody.status, 422, "{}", nobody.text);
    assert_eq!(rentcar.get("/reservation").await.status, 405);
    assert_eq!(rentcar.post("/paid", &cancel).await.status, 405);
    innkeeper.stop().await;
}

/// The example with a longer timeout, and with a payment service that accepts connections and never
/// answers.
async fn with_hanging_payments() -> (Platform, TcpListener) {
    let rentcar = Platform::rentcar().with("timeout: 610ms", "timeout: 9s");
    let pay = TcpListener::bind(("127.0.0.1", rentcar.port("pay")))
        .await
        .unwrap();
    (rentcar, pay)
}

fn keyed() -> Request<String> {
    let wish = post("/reservations", &kims_wish());
    with(wish, "idempotency-key", "kims")
}

#[tokio::test]
async fn a_key_in_flight_is_a_conflict_that_says_when_to_come_again() {
    let (rentcar, pay) = with_hanging_payments().await;
    let innkeeper = rentcar.ready(&["--without", "pay"]).await;

    let (first, again) = tokio::join!(rentcar.send(keyed()), async {
        let hanging = pay.accept().await.unwrap();
        let again = rentcar.send(keyed()).await;
        drop(hanging);
        again
    });

    assert_eq!(
        (again.status, again.header("content-type")),
        (409, "application/problem+json")
    );
    let seconds: u32 = again.header("retry-after").parse().unwrap();
    assert!(seconds > 0);
    assert_eq!(first.status, 503, "pay hung up: {}", first.text);
    assert_eq!(rentcar.items("/reservations").await.len(), 1);
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_post_that_loses_to_a_cancel_is_a_conflict_now_and_for_its_key() {
    let (rentcar, pay) = with_hanging_payments().await;
    let innkeeper = rentcar.ready(&["--without", "pay"]).await;

    let (lost, cancelled) = tokio::join!(rentcar.send(keyed()), async {
        let hanging = pay.accept().await.unwrap();
        let cancel = json!({ "status": "canceled" });
        let cancelled = rentcar.patch("/reservations/1", &cancel).await;
        drop(hanging);
        cancelled
    });
    let again = rentcar.send(keyed()).await;

    assert_eq!(cancelled.status, 200, "{}", cancelled.text);
    for answer in [&lost, &again] {
        assert_eq!(
            (answer.status, answer.header("content-type")),
            (409, "application/problem+json"),
            "{}",
            answer.text
        );
        assert_eq!(answer.header("retry-after"), "", "it is final");
    }
    assert_eq!(again.text, lost.text);
    let reservations = rentcar.items("/reservations").await;
    assert_eq!(reservations.len(), 1);
    assert_eq!(reservations[0]["status"], "canceled");
    innkeeper.stop().await;
}

/// Reserves again and again until the port is closed.
async fn reserve_until_the_end(rentcar: &Platform, answers: &RefCell<Vec<Answer>>) {
    let wish = || post("/reservations", &kims_wish());
    while let Ok(answer) = send(rentcar.gateway(), wish()).await {
        answers.borrow_mut().push(answer);
    }
}

#[tokio::test]
async fn what_was_taken_before_sigterm_is_answered_and_kept() {
    let rentcar = Platform::rentcar();
    let mut innkeeper = rentcar.ready(&[]).await;
    let answers = RefCell::new(Vec::new());
    let clients = (0..CLIENTS).map(|_| reserve_until_the_end(&rentcar, &answers));
    tokio::join!(join_all(clients), async {
        until("enough answers", async || {
            let answered = answers.borrow().len();
            (answered >= ANSWERS)
                .then_some(())
                .ok_or(format!("{answered} answers"))
        })
        .await;
        innkeeper.signal(Signal::SIGTERM);
    });
    let status = innkeeper.ended().await;
    assert_eq!(status.code(), Some(0), "{}", innkeeper.log());

    let answers = answers.into_inner();
    for answer in &answers {
        assert_eq!(answer.status, 201, "{}", answer.text);
    }
    let innkeeper = rentcar.ready(&[]).await;
    let kept = rentcar.items("/reservations?size=1000").await;
    assert_eq!(kept.len(), answers.len(), "each has its answer");
    for reservation in kept {
        assert_eq!(reservation["status"], "Reserved");
    }
    innkeeper.stop().await;
}

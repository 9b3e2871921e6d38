//! Parts of the platform fail, then all of it, and its promises are still kept.

use std::time::{Duration, Instant};

use innkeeper_e2e::http::Answer;
use innkeeper_e2e::kubernetes::PLATFORMS;
use innkeeper_e2e::{example, kafka};
use serde_json::{Value, json};

use super::scaling::without_growth;
use super::{RENTCAR, topic_name};

/// The timeout that the file gives calls of `pay`, plus some time for a busy machine.
const IN_TIME: Duration = Duration::from_millis(610 + 900);

/// The idempotency key of the reservation that is made while `pay` is down.
const KEY: &str = "an-interrupted-reservation";

fn reserve_with_key() -> Answer {
    let asked = json!({ "userName": "lee", "carId": "8", "period": 1, "price": 70_000 });
    RENTCAR.call_with("POST", "/reservations", &asked, &[("idempotency-key", KEY)])
}

pub fn a_service_without_replicas_is_off_and_its_callers_say_so() {
    let off = without_growth().with_service("pay", "replicas", json!(0));
    RENTCAR.apply(&off.manifest());
    RENTCAR.await_reason("pay", "Off");
    RENTCAR.await_ready("rentcar");
    let said = RENTCAR.await_state(PLATFORMS, "rentcar", "Ready");
    assert!(said.ends_with("switched off: pay"), "{said}");

    // A pod that is ending keeps answering as long as others may still route requests to it.
    RENTCAR.await_no_pods("pay");
    let before = kafka::fetch_records(&topic_name()).len();
    let asked_at = Instant::now();
    let answer = reserve_with_key();
    assert!(
        asked_at.elapsed() < IN_TIME,
        "it took {:?}",
        asked_at.elapsed()
    );
    assert_eq!(answer.status, 503, "{}", answer.body);
    assert_eq!(answer.header("content-type"), "application/problem+json");
    assert!(
        answer.header("retry-after").parse::<u32>().is_ok(),
        "{:?}",
        answer.headers
    );
    assert_eq!(kafka::fetch_records(&topic_name()).len(), before);
}

pub fn a_reservation_is_settled_once_when_it_is_back() {
    RENTCAR.apply(&without_growth().manifest());
    RENTCAR.await_reason("pay", "Ready");
    RENTCAR.await_ready("rentcar");
    let settled = RENTCAR.until("the reservation is settled", || match reserve_with_key() {
        answer if answer.status == 201 => Ok(answer),
        answer => Err(format!("{answer:?}")),
    });
    let again = reserve_with_key();
    assert_eq!((again.status, &again.body), (201, &settled.body));

    let id = &settled.body["id"];
    let of_this = |list: &Value, name: &str| {
        let rows = list["_embedded"][name].as_array().unwrap().clone();
        rows.iter()
            .filter(|row| row["reservationId"] == *id)
            .count()
    };
    assert_eq!(of_this(&RENTCAR.read("/pays"), "pays"), 1);
    let settled_once = || {
        let records = kafka::fetch_records(&topic_name());
        let of = |kind: &str| {
            let of_kind = records
                .iter()
                .filter(|record| record.headers["ce_type"].contains(kind));
            of_kind
                .filter(|record| {
                    record.payload["customer"] == "lee"
                        || record.payload.to_string().contains("\"lee\"")
                })
                .count()
        };
        match (
            of("booking.confirmed"),
            of("payment.authorized"),
            records.len(),
        ) {
            (1, 1, _) => Ok(()),
            counts => Err(format!("{counts:?}")),
        }
    };
    RENTCAR.until("one reservation and one payment are in Kafka", settled_once);
    RENTCAR.until("the view shows it once", || {
        match of_this(&RENTCAR.read("/myReservations"), "myReservations") {
            1 => Ok(()),
            count => Err(format!("{count} rows")),
        }
    });
}

pub fn what_is_deleted_leaves_the_topic_and_the_rows() {
    RENTCAR
        .kubectl(&["delete", "bookingplatform", "rentcar"])
        .unwrap();
    let kinds = RENTCAR.kubectl(&[
        "api-resources",
        "--namespaced",
        "--verbs=list",
        "--output=name",
    ]);
    let kinds = kinds.unwrap();
    let kinds: Vec<&str> = kinds
        .lines()
        .filter(|kind| !kind.starts_with("events") && !kind.contains("metrics"))
        .collect();
    RENTCAR.until("nothing is left but what was there before", || {
        let left = RENTCAR.kubectl(&["get", &kinds.join(","), "--output=name"])?;
        let expected = [
            "configmap/kube-root-ca.crt",
            "secret/innkeeper-database",
            "serviceaccount/default",
        ];
        let mut left: Vec<&str> = left.lines().collect();
        left.sort_unstable();
        if left == expected {
            Ok(())
        } else {
            Err(left.join(" "))
        }
    });
    assert_eq!(kafka::count_partitions(&topic_name()), 12);
    let rows = innkeeper_e2e::postgres::query(
        "SELECT id FROM rentcar__rentcar__reservation__1.rows ORDER BY id",
    );
    assert_eq!(rows, [["1"], ["2"]]);
}

pub fn what_is_applied_again_goes_on_where_it_was() {
    let before = kafka::fetch_records(&topic_name()).len();
    RENTCAR
        .kubectl(&["apply", "--filename", example::path()])
        .unwrap();
    RENTCAR.await_ready("rentcar");
    // The services have new addresses, and DNS may return the old ones for some seconds.
    let first = RENTCAR.until("the first reservation is there", || {
        match RENTCAR.call("GET", "/reservations/1", &Value::Null) {
            answer if answer.status == 200 => Ok(answer.body),
            answer => Err(format!("{answer:?}")),
        }
    });
    assert_eq!(first["status"], "canceled");
    assert_eq!(reserve_with_key().body["id"], 2);
    let asked = json!({ "userName": "park", "carId": "9", "price": 10 });
    let made = RENTCAR.call("POST", "/reservations", &asked);
    assert_eq!(
        (made.status, made.header("location")),
        (201, "/reservations/3")
    );
    RENTCAR.until("the view goes on", || {
        let rows = RENTCAR.read("/myReservations");
        let rows = rows["_embedded"]["myReservations"]
            .as_array()
            .unwrap()
            .clone();
        let ids: Vec<_> = rows
            .iter()
            .map(|row| row["reservationId"].clone())
            .collect();
        if ids == [json!(1), json!(2), json!(3)] {
            Ok(())
        } else {
            Err(format!("{rows:?}"))
        }
    });
    RENTCAR.until(
        "its records follow the former ones",
        || match kafka::fetch_records(&topic_name()).len() {
            count if count == before + 2 => Ok(()),
            count => Err(format!("{count} records, {before} before")),
        },
    );
}

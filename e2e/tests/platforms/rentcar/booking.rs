//! Follows one reservation through every service and log.

use std::time::Duration;

use innkeeper_cluster::deadline::until;
use innkeeper_crds::refusals::CASES;
use innkeeper_e2e::kubernetes::{EVENTS, PLATFORMS, PODS, TOPICS, text};
use innkeeper_e2e::rows::check_fields;
use innkeeper_e2e::{example, kafka, postgres};
use serde_json::{Value, json};

use super::{RENTCAR, topic_name};

/// How long the view may take to show an event.
const A_SECOND: Duration = Duration::from_secs(1);

pub fn the_example_becomes_ready() {
    RENTCAR.create();
    RENTCAR.create_secret();
    RENTCAR
        .kubectl(&["apply", "--filename", example::path()])
        .unwrap();
    let wait = [
        "wait",
        "--for=condition=Ready",
        "--timeout=120s",
        "bp/rentcar",
    ];
    RENTCAR.kubectl(&wait).unwrap();
    let shown = RENTCAR.kubectl(&["get", "innkeeper"]).unwrap();
    for name in [
        "bookingplatform.innkeeper.dev/rentcar",
        "eventtopic.innkeeper.dev/rentcar",
        "domainservice.innkeeper.dev/pay",
    ] {
        assert!(shown.contains(name), "{shown}");
    }
    // The table of each of the three kinds has its own header.
    for columns in ["SERVICES", "REPLICAS", "PARTITIONS"] {
        let head = shown.lines().find(|line| line.contains(columns));
        let head = head.unwrap_or_else(|| panic!("{columns} is not in {shown}"));
        assert!(
            ["READY", "REASON", "AGE"]
                .iter()
                .all(|it| head.contains(it)),
            "{shown}"
        );
    }
}

pub fn events_tell_how_it_went() {
    let told: Vec<(String, String)> = RENTCAR
        .list(EVENTS)
        .iter()
        .map(|event| (text(&event["regarding"]["kind"]), text(&event["reason"])))
        .collect();
    for (kind, reason) in [
        ("BookingPlatform", "Ready"),
        ("DomainService", "WaitingForCallee"),
        ("DomainService", "Ready"),
        ("EventTopic", "Ready"),
    ] {
        let event = (kind.to_owned(), reason.to_owned());
        assert!(told.contains(&event), "{event:?} is not in {told:?}");
    }
}

pub fn a_reservation_is_paid_and_cancelled_through_the_gateway() {
    let asked = json!({
        "userName": "kim", "userHp": "010-1234-5678", "carId": "7", "period": "3", "price": "50000",
    });
    let made = RENTCAR.call("POST", "/reservations", &asked);
    assert_eq!(made.status, 201, "{}", made.body);
    assert_eq!(made.header("location"), "/reservations/1");
    assert_holds(
        &made.body,
        &json!({
            "id": 1, "userName": "kim", "userHp": "010-1234-5678", "carId": "7", "period": 3, "price": 50000,
            "status": "Reserved",
        }),
    );
    assert_holds(
        &RENTCAR.read("/pays/1"),
        &json!({
            "reservationId": 1, "userName": "kim", "carId": "7", "price": 50000, "status": "Reserved",
        }),
    );
    await_view(&json!({ "reservationId": 1, "payId": 1, "status": "Reserved" }));

    let paid = RENTCAR.call("PATCH", "/pays/1", &json!({ "status": "payed" }));
    assert_eq!((paid.status, &paid.body["status"]), (200, &json!("payed")));
    await_view(&json!({ "reservationId": 1, "payId": 1, "rentId": 1, "status": "payed" }));
    let rents = RENTCAR.read("/rents");
    assert_holds(
        &rents["_embedded"]["rents"][0],
        &json!({ "reservationId": 1, "payId": 1 }),
    );

    let cancelled = RENTCAR.call("PATCH", "/reservations/1", &json!({ "status": "canceled" }));
    assert_eq!(
        (cancelled.status, &cancelled.body["status"]),
        (200, &json!("canceled"))
    );
    await_view(&json!({ "reservationId": 1, "payId": 1, "rentId": 1, "status": "canceled" }));
    for path in ["/pays/1", "/rents/1"] {
        RENTCAR.until(path, || {
            check_fields(&RENTCAR.read(path), &json!({ "status": "canceled" }))
        });
    }
}

pub fn its_records_are_in_kafka() {
    let topic = RENTCAR.fetch(TOPICS, "rentcar");
    assert_eq!(topic["status"]["partitions"], 12, "{topic}");
    assert_eq!(kafka::count_partitions(&topic_name()), 12);
    let types = [
        "booking.confirmed",
        "payment.authorized",
        "payment.captured",
        "fulfillment.started",
        "booking.cancelled",
        "payment.refunded",
        "fulfillment.cancelled",
    ];
    let records = RENTCAR.until("every event of the saga is in Kafka", || {
        let records = kafka::fetch_records(&topic_name());
        if records.len() >= types.len() {
            Ok(records)
        } else {
            Err(format!("{records:?}"))
        }
    });
    for kind in types {
        let kind = format!("dev.innkeeper.{kind}.v1");
        let count = records
            .iter()
            .filter(|record| record.headers["ce_type"] == kind)
            .count();
        assert_eq!(count, 1, "{kind} in {records:?}");
    }
    let first = &records[0];
    for record in &records {
        assert_eq!(
            (&record.key, record.partition),
            (&first.key, first.partition)
        );
        assert_eq!(record.headers["ce_correlationid"], record.key);
        assert_eq!(record.headers["ce_specversion"], "1.0");
    }
}

pub fn its_rows_are_in_the_database() {
    for (service, state) in [
        ("reservation", "cancelled"),
        ("pay", "refunded"),
        ("rent", "cancelled"),
    ] {
        let rows = postgres::query(&format!(
            "SELECT id, state FROM rentcar__rentcar__{service}__1.rows"
        ));
        assert_eq!(rows, [["1", state]], "{service}");
    }
    let unsent =
        "SELECT count(*) FROM rentcar__rentcar__reservation__1.outbox WHERE published_at IS NULL";
    RENTCAR.until("the outbox is empty", || match postgres::query(unsent) {
        rows if rows == [["0"]] => Ok(()),
        rows => Err(format!("{rows:?} events are unsent")),
    });
}

pub fn a_value_of_the_file_is_in_force_in_the_pod() {
    let env = json!({ "PROFILE": "docker" });
    RENTCAR.check_configured("myreservation", &env).unwrap();
    let text = RENTCAR
        .fetch_admin("myreservation", "/settings")
        .body
        .to_string();
    assert!(
        !text.contains(postgres::PASSWORD) && !text.contains("docker"),
        "a secret is shown: {text}"
    );
}

pub fn probes_are_as_rendered() {
    let pods = RENTCAR.list_of_service(PODS, "pay");
    let container = &pods[0]["spec"]["containers"][0];
    for (probe, path, period, failures) in [
        ("livenessProbe", "/livez", 10, 3),
        ("readinessProbe", "/readyz", 2, 2),
        ("startupProbe", "/startupz", 1, 180),
    ] {
        assert_holds(
            &container[probe]["httpGet"],
            &json!({ "path": path, "port": 9090 }),
        );
        assert_holds(
            &container[probe],
            &json!({ "periodSeconds": period, "failureThreshold": failures }),
        );
        assert_eq!(RENTCAR.fetch_admin("pay", path).status, 200);
    }
}

pub fn a_change_that_is_wrong_is_refused() {
    let example = example::text();
    for case in CASES.iter().filter(|case| case.update) {
        let manifest = case.apply(&example).expect("every edit finds its place");
        let answer = RENTCAR.kubectl_with_file(&["apply", "--dry-run=server"], &manifest);
        let refusal = answer.expect_err(case.name);
        assert!(
            refusal.contains(case.on_cluster()),
            "{}: {refusal}",
            case.name
        );
    }
    assert_eq!(
        RENTCAR.fetch(PLATFORMS, "rentcar")["metadata"]["generation"],
        1
    );
}

/// Waits until the only row of the view has these fields.
fn await_view(expected: &Value) {
    until("the view's row", A_SECOND, || {
        let rows = RENTCAR.read("/myReservations");
        check_fields(&rows["_embedded"]["myReservations"][0], expected)
    })
    .unwrap_or_else(|overdue| panic!("{overdue}"));
}

fn assert_holds(found: &Value, expected: &Value) {
    check_fields(found, expected).unwrap_or_else(|found| panic!("{expected} is not in {found}"));
}

//! How `innkeeper dev` and `innkeeper serve` start, restart and end.

use std::collections::BTreeMap;
use std::fs;

use innkeeper_contracts::content::texts_hash;
use innkeeper_testkit::patience::{in_time, until};
use nix::sys::signal::Signal;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::net::TcpListener;

use crate::http::{get, send};
use crate::platform::{Platform, kims_wish};
use crate::process::Innkeeper;

#[tokio::test]
async fn the_first_screen_says_what_runs_where_and_what_is_different() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let screen = innkeeper.screen();

    for (service, path) in [
        ("gateway", ""),
        ("reservation", "/reservations"),
        ("pay", "/pays"),
        ("rent", "/rents"),
        ("myreservation", "/myReservations"),
    ] {
        let url = format!("http://127.0.0.1:{}{path}", rentcar.port(service));
        let line = screen
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{service} ")));
        let words: Vec<&str> = line.unwrap_or_default().split_whitespace().collect();
        assert_eq!(words, [service, "ready", &url], "{screen}");
    }
    for said in [
        ".innkeeper/rentcar",
        "Different from a cluster",
        "Kafka",
        "SQLite",
        "autoscaling",
        "Ctrl-C",
    ] {
        assert!(screen.contains(said), "{said} in {screen}");
    }
    innkeeper.stop().await;
}

#[tokio::test]
async fn what_a_changed_file_leaves_behind_is_said_at_the_start() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    rentcar.post("/reservations", &kims_wish()).await;
    let row = json!({ "reservationId": 1 });
    rentcar.shows("/myReservations", &row).await;
    innkeeper.stop().await;
    let innkeeper = rentcar.ready(&["--without", "rent"]).await;
    assert!(!innkeeper.log().contains("WARN"), "{}", innkeeper.log());
    let paid = json!({ "status": "payed" });
    rentcar.patch("/pays/1", &paid).await;
    innkeeper.stop().await;
    let innkeeper = rentcar.ready(&[]).await;
    let row = json!({ "reservationId": 1, "rentId": 1 });
    rentcar.shows("/myReservations", &row).await;
    innkeeper.stop().await;

    let text = fs::read_to_string(rentcar.file()).unwrap();
    let renamed = text
        .replace("name: rent\n", "name: rental\n")
        .replace("rent.", "rental.")
        .replace(
            "- { name: payId, from: pay.id }",
            "- { name: payId, from: pay.id }\n          - { name: days, from: reservation.period }",
        );
    fs::write(rentcar.file(), renamed).unwrap();
    let innkeeper = rentcar.ready(&[]).await;
    let log = innkeeper.log();
    for said in [
        "1 rows of rent stay behind, which the platform no longer has",
        "the 1 rows of myreservation keep what they have in days, rentId, status, which is new",
    ] {
        assert!(log.contains(said), "{log}");
    }
    assert_eq!(log.matches("WARN").count(), 2, "{log}");
    innkeeper.stop().await;
    let innkeeper = rentcar.ready(&[]).await;
    let log = innkeeper.log();
    assert!(
        !log.contains("myreservation keep"),
        "it is said once: {log}"
    );
    innkeeper.stop().await;
}

#[tokio::test]
async fn two_platforms_in_one_process_have_files_of_their_own() {
    let (rentcar, burgerqueen) = (Platform::rentcar(), Platform::burgerqueen());
    let other = burgerqueen.file();
    let innkeeper = rentcar.ready(&[other.to_str().unwrap()]).await;
    until("both are ready", async || {
        let screen = innkeeper.screen();
        let ready = screen.matches("Ctrl-C ends it").count();
        (ready == 2).then_some(()).ok_or(screen)
    })
    .await;
    let order = json!({ "branchId": "1", "sauceId": "1", "qty": "10", "price": "10000" });

    let reserved = rentcar.post("/reservations", &kims_wish()).await;
    let ordered = burgerqueen.post("/orders", &order).await;

    assert_eq!(reserved.header("location"), "/reservations/1");
    assert_eq!(ordered.header("location"), "/orders/1");
    rentcar
        .soon_shows("/myReservations", json!({ "reservationId": 1 }))
        .await;
    burgerqueen
        .soon_shows("/orderDashboards", json!({ "orderId": 1 }))
        .await;
    let data = rentcar.folder().join(".innkeeper");
    for platform in ["rentcar", "burgerqueen"] {
        assert!(data.join(platform).join("platform.1.db").exists());
    }
    innkeeper.stop().await;
}

#[tokio::test]
async fn ctrl_c_and_sigterm_end_it_in_order() {
    for signal in [Signal::SIGINT, Signal::SIGTERM] {
        let rentcar = Platform::rentcar();
        let mut innkeeper = rentcar.ready(&[]).await;
        rentcar.post("/reservations", &kims_wish()).await;
        innkeeper.signal(signal);
        let status = innkeeper.ended().await;
        assert_eq!(status.code(), Some(0), "{signal}: {}", innkeeper.log());
        assert!(
            send(rentcar.gateway(), get("/reservations")).await.is_err(),
            "nobody listens any more"
        );
    }
}

#[tokio::test]
async fn stopped_or_killed_and_started_again_it_goes_on_where_it_was() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    assert_eq!(
        rentcar.post("/reservations", &kims_wish()).await.status,
        201
    );
    innkeeper.stop().await;

    let mut killed = rentcar.ready(&[]).await;
    let second = rentcar.post("/reservations", &kims_wish()).await;
    assert_eq!(second.status, 201);
    killed.signal(Signal::SIGKILL);
    killed.killed().await;

    let innkeeper = rentcar.ready(&[]).await;
    let ids: Vec<Value> = rentcar
        .items("/reservations")
        .await
        .iter()
        .map(|item| item["id"].clone())
        .collect();
    assert_eq!(ids, [json!(1), second.json()["id"].clone()]);
    assert_eq!(
        rentcar
            .patch("/pays/1", &json!({ "status": "payed" }))
            .await
            .status,
        200
    );
    until("both reservations are shown", async || {
        let rows = rentcar.items("/myReservations").await;
        let statuses: Vec<&Value> = rows.iter().map(|row| &row["status"]).collect();
        if statuses == ["payed", "Reserved"] {
            Ok(())
        } else {
            Err(format!("{rows:?}"))
        }
    })
    .await;
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_service_that_is_left_out_is_named_and_can_come_later() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar
        .ready(&["--without", "myreservation", "--without", "rent"])
        .await;
    let screen = innkeeper.screen();
    assert!(screen.contains("rent           left out"), "{screen}");
    assert_eq!(
        rentcar.post("/reservations", &kims_wish()).await.status,
        201
    );
    let gone = rentcar.get("/myReservations").await;
    assert_eq!(
        (gone.status, &gone.json()["service"]),
        (503, &json!("myreservation"))
    );
    innkeeper.stop().await;

    let innkeeper = rentcar.ready(&[]).await;
    until("the reservation is shown", async || {
        let rows = rentcar.items("/myReservations").await;
        if rows.len() == 1 {
            Ok(())
        } else {
            Err(format!("{rows:?}"))
        }
    })
    .await;
    innkeeper.stop().await;
}

#[tokio::test]
async fn logs_are_lines_of_json_for_machines() {
    let rentcar = Platform::rentcar();
    let mut innkeeper = rentcar.ready(&["--log", "json", "--without", "pay"]).await;
    rentcar.post("/reservations", &kims_wish()).await;
    innkeeper.signal(Signal::SIGTERM);
    innkeeper.ended().await;

    let log = innkeeper.log();
    let lines: Vec<Value> = log
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    assert!(!lines.is_empty());
    for line in lines {
        assert!(
            line["timestamp"].is_string()
                && line["level"].is_string()
                && line["message"].is_string(),
            "{line}"
        );
    }
}

#[tokio::test]
async fn probes_metrics_and_settings_are_below_platform_and_service() {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    let admin = async |path: &str| send(rentcar.admin(), get(path)).await.unwrap();

    let listing = admin("/").await.text;
    for path in listing.lines() {
        assert_eq!(admin(path).await.status, 200, "{path}");
    }
    // Every service but the gateway has dead letters and parked events.
    assert_eq!(listing.lines().count(), 5 * 5 + 4 * 2, "{listing}");
    let settings = admin("/rentcar/myreservation/settings").await.json();
    assert_eq!(settings["config"]["env"], json!(["PROFILE"]), "{settings}");
    let env = BTreeMap::from([("PROFILE".to_owned(), "docker".to_owned())]);
    assert_eq!(settings["config"]["hash"], texts_hash(&env), "{settings}");
    innkeeper.stop().await;
}

#[tokio::test]
async fn a_service_that_waits_for_its_database_ends_when_it_is_told_to() {
    let folder = TempDir::new().unwrap();
    // A server that accepts connections and never answers.
    let database = TcpListener::bind("127.0.0.1:0").await.unwrap();
    for (file, content) in [("username", "kim"), ("password", "secret")] {
        fs::write(folder.path().join(file), content).unwrap();
    }
    let settings = json!({
        "namespace": "default", "platform": "rentcar", "service": "rent", "path": "/rents",
        "component": { "fulfillment": { "payments": ["pay"], "bookings": ["reservation"] } },
        "database": { "postgres": {
            "host": "127.0.0.1", "port": database.local_addr().unwrap().port(), "database": "none", "schema": "rent",
            "credentialsDir": folder.path(),
        } },
        "log": { "kafka": { "bootstrapServers": "127.0.0.1:1", "topic": "none", "group": "none" } },
    });
    fs::write(folder.path().join("rent.json"), settings.to_string()).unwrap();
    let words =
        "serve fulfillment --settings rent.json --listen 127.0.0.1:0 --listen-admin 127.0.0.1:0";
    let words: Vec<&str> = words.split(' ').collect();
    let mut service = Innkeeper::spawn(folder.path(), "rent", &words);

    let _waiting = in_time("it asks its database", database.accept()).await;
    service.signal(Signal::SIGTERM);

    assert_eq!(service.ended().await.code(), Some(0), "{}", service.log());
}

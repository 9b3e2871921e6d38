//! `innkeeper dead-letters` against a running platform.

use innkeeper_testkit::patience::until;
use rusqlite::{Connection, params};
use serde_json::Value;
use uuid::Uuid;

use crate::platform::{Platform, kims_wish};
use crate::process::Innkeeper;

/// What a command printed and logged, and its exit code.
struct Said {
    code: Option<i32>,
    screen: String,
    log: String,
}

async fn dead_letters(rentcar: &Platform, below: &str, arguments: &[&str]) -> Said {
    said(rentcar, below, "dead-letters", arguments).await
}

async fn said(rentcar: &Platform, below: &str, command: &str, arguments: &[&str]) -> Said {
    let admin = format!("http://127.0.0.1:{}{below}", rentcar.admin());
    let mut all = vec![command, "--admin", &admin];
    all.extend(arguments);
    let mut command = Innkeeper::spawn(rentcar.folder(), "letters", &all);
    Said {
        code: command.ended().await.code(),
        screen: command.screen(),
        log: command.log(),
    }
}

async fn listed(rentcar: &Platform) -> Vec<Value> {
    let said = dead_letters(rentcar, "", &["list", "-o", "json"]).await;
    assert_eq!(said.code, Some(0), "{}", said.log);
    serde_json::from_str(&said.screen).unwrap()
}

/// Writes a record into the log while no process uses its file, as a producer would. It has one
/// header, with the name `ce_id`.
fn append(rentcar: &Platform, id: &str, payload: &[u8]) {
    let log = Connection::open(rentcar.data().join("platform.1.db")).unwrap();
    let names = r#"
        INSERT INTO common_headers (headers) VALUES ('[["ce_id",null]]')
        ON CONFLICT (headers) DO UPDATE SET headers = headers RETURNING id"#;
    let names: i64 = log.query_row(names, [], |row| row.get(0)).unwrap();
    let sql = "
        INSERT INTO records (record_offset, appended_ms, key, common_headers_id, header_values, payload)
        SELECT max(record_offset) + 1, max(appended_ms), 'nobody', ?1, ?2, ?3 FROM records";
    let values = serde_json::json!([id]).to_string();
    assert_eq!(
        log.execute(sql, params![names, values, payload]).unwrap(),
        1
    );
}

/// A platform whose log has a record that nobody can decode.
async fn with_poison() -> (Platform, Innkeeper) {
    with_poisons(&["none"]).await
}

/// A platform whose log has records with these ids that nobody can decode.
async fn with_poisons(ids: &[&str]) -> (Platform, Innkeeper) {
    let rentcar = Platform::rentcar();
    let innkeeper = rentcar.ready(&[]).await;
    assert_eq!(
        rentcar.post("/reservations", &kims_wish()).await.status,
        201
    );
    rentcar
        .shows("/myReservations", &serde_json::json!({ "userName": "kim" }))
        .await;
    innkeeper.stop().await;
    for id in ids {
        append(&rentcar, id, b"\xff");
    }
    let innkeeper = rentcar.ready(&[]).await;
    (rentcar, innkeeper)
}

#[tokio::test]
async fn a_list_that_is_cut_says_where_there_are_more() {
    let (rentcar, innkeeper) = with_poisons(&["one", "two"]).await;
    until("two dead letters in each service", async || {
        let count = listed(&rentcar).await.len();
        (count == 8).then_some(()).ok_or(format!("{count}"))
    })
    .await;

    let cut = dead_letters(&rentcar, "", &["list", "-o", "json", "--limit", "1"]).await;
    let letters: Vec<Value> = serde_json::from_str(&cut.screen).unwrap();
    assert_eq!(letters.len(), 4, "{letters:?}");
    let more = "there are more dead letters (rentcar/";
    assert!(cut.log.contains(more), "{}", cut.log);
    let whole = dead_letters(&rentcar, "", &["list", "--limit", "2"]).await;
    assert!(!whole.log.contains(more), "{}", whole.log);
    innkeeper.stop().await;
}

#[tokio::test]
async fn what_cannot_be_decoded_is_listed_shown_replayed_and_discarded() {
    let (rentcar, innkeeper) = with_poison().await;
    let letters = until("a dead letter in each service", async || {
        let letters = listed(&rentcar).await;
        let count = letters.len();
        (count == 4).then_some(letters).ok_or(format!("{count}"))
    })
    .await;
    for letter in &letters {
        assert_eq!(letter["kind"], "Unreadable", "{letter}");
        assert_eq!(letter["key"], "nobody");
    }
    let pay = letters.iter().find(|it| it["service"] == "rentcar/pay");
    let id = pay.unwrap()["id"].as_str().unwrap();

    let table = dead_letters(&rentcar, "/rentcar/pay", &["list"]).await;
    assert_eq!(table.screen.lines().count(), 2, "{}", table.screen);
    assert!(table.screen.starts_with("SERVICE"), "{}", table.screen);
    assert!(table.screen.contains(id) && table.screen.contains("ce_type"));

    let shown = dead_letters(&rentcar, "", &["show", id]).await;
    assert!(
        shown.screen.contains(r#""ce_id":"none""#),
        "{}",
        shown.screen
    );

    let replayed = dead_letters(&rentcar, "", &["replay", id]).await;
    assert_eq!(
        replayed.code,
        Some(1),
        "it cannot be decoded this time either"
    );
    assert!(replayed.log.contains("4 of 4"), "{}", replayed.log);
    assert!(replayed.screen.contains("failed"), "{}", replayed.screen);

    let discarded = dead_letters(&rentcar, "/rentcar/pay", &["discard", id]).await;
    assert_eq!(discarded.code, Some(0), "{}", discarded.log);
    assert_eq!(listed(&rentcar).await.len(), 3);
    let all = dead_letters(&rentcar, "", &["replay", "--all", "-o", "json"]).await;
    let outcomes: Vec<Value> = serde_json::from_str(&all.screen).unwrap();
    assert_eq!(outcomes.len(), 3, "{outcomes:?}");
    innkeeper.stop().await;
}

#[tokio::test]
async fn what_is_not_there_is_said_with_what_to_do() {
    let rentcar = Platform::rentcar();
    let away = dead_letters(&rentcar, "", &["list"]).await;
    assert_eq!(away.code, Some(1), "{}", away.log);
    assert!(away.log.contains("innkeeper dev"), "{}", away.log);

    let innkeeper = rentcar.ready(&[]).await;
    let none = dead_letters(&rentcar, "", &["list"]).await;
    assert_eq!(none.screen, "there are no dead letters\n");
    let id = Uuid::now_v7().to_string();
    for action in ["show", "replay", "discard"] {
        let missing = dead_letters(&rentcar, "", &[action, &id]).await;
        assert_eq!(missing.code, Some(1), "{action}");
        let says = missing.log.contains(&id) && missing.log.contains("dead-letters list");
        assert!(says, "{action}: {}", missing.log);
    }
    let nobody = dead_letters(&rentcar, "/rentcar/nobody", &["list"]).await;
    assert_eq!(nobody.code, Some(2), "{}", nobody.log);
    let wrong = dead_letters(&rentcar, "", &["list", "--limit", "0"]).await;
    assert!(wrong.log.contains("limit"), "{}", wrong.log);

    let parked = said(&rentcar, "", "parked-events", &["list"]).await;
    assert_eq!(
        parked.screen, "there are no parked events\n",
        "{}",
        parked.log
    );
    let missing = said(&rentcar, "", "parked-events", &["replay", &id]).await;
    assert!(
        missing.log.contains("parked-events list"),
        "{}",
        missing.log
    );
    innkeeper.stop().await;
}

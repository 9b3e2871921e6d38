//! The suite on PostgreSQL, and tests that need a server. Every test has its own schema, which it
//! drops.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::{
    Changes, DeadLetterKind, Query, Refusal, RowChange, Scope, StepInput, Store, StoreError,
};
use innkeeper_storage::{Credentials, OpenError, Postgres, PostgresOptions};
use innkeeper_testkit::patience::until;
use innkeeper_testkit::postgres::{Schema, server};
use tokio_postgres::Client;
use uuid::Uuid;

use crate::cases::kill;
use crate::given::{
    HOUR, Write, dead_letters, event, new_uuid, row, save, stored_events, stored_row, unpublished,
    write_of,
};
use crate::suite::{Fixture, conformance};

pub fn options(schema: &str) -> PostgresOptions {
    let server = server();
    PostgresOptions {
        host: server.host,
        port: server.port,
        database: server.database,
        schema: schema.to_owned(),
        credentials: Credentials::Given {
            username: server.username,
            password: server.password,
        },
        tls: None,
    }
}

async fn open(schema: &str) -> Result<Postgres, OpenError> {
    Postgres::open(options(schema)).await
}

#[async_trait]
impl Fixture for Schema {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(open(&self.name).await.unwrap())
    }

    /// The server's time cannot be changed, so everything is made older instead.
    async fn pass_time(&self, by: Duration) {
        let by = by.as_micros();
        let older = |column| format!("{column} = {column} - {by} * interval '1 microsecond'");
        let older: String = [
            ("rows", "created_at"),
            ("rows", "claim_until"),
            ("outbox", "published_at"),
            ("inbox", "handled_at"),
            ("idempotency_keys", "settled_at"),
            ("lease", "until"),
        ]
        .map(|(table, column)| format!("UPDATE {table} SET {};", older(column)))
        .concat();
        self.connect().await.batch_execute(&older).await.unwrap();
    }
}

conformance!(Schema);

#[tokio::test]
async fn an_event_whose_earlier_neighbour_commits_later_is_still_published() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let mut slow = fixture.connect().await;
    let slow = slow.transaction().await.unwrap();
    let (late, quick) = (event(new_uuid(), 1), event(new_uuid(), 1));
    let insert =
        "INSERT INTO outbox (id, aggregatetype, aggregateid, type, version, headers, payload)
        VALUES ($1, 'booking', $2, 'late', 1, '[]', '{}') RETURNING seq";
    let earlier = slow
        .query_one(insert, &[&late.id, &late.aggregate_id])
        .await
        .unwrap();
    stored_events(&*store, std::slice::from_ref(&quick)).await;
    assert_eq!(unpublished(&*store).await, [quick.id]);
    let by_id = "SELECT seq FROM outbox WHERE id = $1";
    let client = fixture.connect().await;
    let later = client.query_one(by_id, &[&quick.id]).await.unwrap();
    store.delete_published(vec![quick.id]).await.unwrap();

    slow.commit().await.unwrap();

    assert_eq!(unpublished(&*store).await, [late.id]);
    let (earlier, later): (i64, i64) = (earlier.get(0), later.get(0));
    assert!(earlier < later, "the late one has the lower number");
}

/// What a pod of the first release writes and reads, while it runs beside this one.
#[tokio::test]
async fn a_pod_of_the_first_release_can_work_on_the_same_tables() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let client = fixture.connect().await;
    let saga = new_uuid();
    let insert = "INSERT INTO rows (correlation_id, id, version, state, clock, body, claim_owner, claim_until)
        VALUES ($1, 7, 1, 'pending', 1, '{}', NULL, NULL) ON CONFLICT (correlation_id) DO NOTHING";
    assert_eq!(client.execute(insert, &[&saga]).await.unwrap(), 1);
    assert_eq!(client.execute(insert, &[&saga]).await.unwrap(), 0);

    let input = StepInput::about(Scope::Saga(saga));
    let next = RowChange {
        seen_version: 1,
        state: "confirmed".to_owned(),
        ..row(saga, 7)
    };
    let decided = store.decide(input, move |seen| {
        assert!(seen.row("booking").is_some());
        let changes = Changes {
            rows: vec![next.clone()],
            ..Changes::default()
        };
        Ok((changes, ()))
    });
    decided.await.unwrap().done();

    let update = "UPDATE rows SET id = 7, version = version + 1, state = 'cancelled', clock = 3, body = '{}',
        claim_owner = NULL, claim_until = NULL WHERE correlation_id = $1 AND version = 2";
    assert_eq!(client.execute(update, &[&saga]).await.unwrap(), 1);
    assert_eq!(store.load(saga).await.unwrap().unwrap().state, "cancelled");

    let bury = "INSERT INTO dead_letters (topic, record_partition, record_offset, record_key, headers, payload, error)
        VALUES ('rentcar', 3, 7, NULL, '[]', '', 'it failed')";
    assert_eq!(client.execute(bury, &[]).await.unwrap(), 1);
    assert_eq!(client.execute(bury, &[]).await.unwrap(), 1);
    let letters = dead_letters(&*store).await;
    assert_eq!(letters.len(), 2);
    assert_ne!(letters[0].id, letters[1].id);
    assert_eq!(letters[0].kind, DeadLetterKind::Failed);
}

#[tokio::test]
async fn a_pod_of_an_earlier_release_can_start_on_the_tables_of_this_one() {
    let fixture = Schema::make();
    fixture.open().await;
    let mut client = fixture.connect().await;
    let tables = include_str!("../../migrations/postgres/V1__tables.sql");
    let known = [refinery::Migration::unapplied("V1__tables", tables).unwrap()];

    let started = refinery::Runner::new(&known).run_async(&mut client).await;

    started.unwrap();
    let later =
        "INSERT INTO migrations SELECT 99, 'later', applied_on, '1' FROM migrations LIMIT 1";
    assert_eq!(client.execute(later, &[]).await.unwrap(), 1);
    stored_row(&*fixture.open().await).await;
}

#[tokio::test]
async fn a_fault_of_the_schema_is_not_the_fault_of_what_is_read() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let client = fixture.connect().await;
    let rename = async |from: &str, to: &str| {
        let sql = format!("ALTER TABLE {from} RENAME TO {to}");
        client.batch_execute(&sql).await.unwrap();
    };
    rename("rows", "moved").await;
    let error = store.load_by_id(1).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
    rename("moved", "rows").await;
    assert_eq!(store.load_by_id(1).await.unwrap(), None);
}

#[tokio::test]
async fn published_events_leave_no_row() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let events = [event(new_uuid(), 1), event(new_uuid(), 1)];
    stored_events(&*store, &events).await;
    store.delete_published(vec![events[0].id]).await.unwrap();
    let count = "SELECT count(*) FROM outbox";
    let left = fixture.connect().await.query_one(count, &[]).await.unwrap();
    assert_eq!(left.get::<_, i64>(0), 1);
}

#[tokio::test]
async fn a_process_of_the_release_before_relays_beside_this_one() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let before = fixture.connect().await;
    let saga = new_uuid();
    let events = [event(saga, 1), event(saga, 2), event(new_uuid(), 1)];
    stored_events(&*store, &events).await;
    let refusal = Refusal {
        event_id: events[0].id,
        reason: "too large".to_owned(),
    };
    store.park(vec![refusal]).await.unwrap();

    // The statements of that release.
    let load = "SELECT id, aggregatetype, aggregateid, type, version, headers::text, payload::text FROM outbox
        WHERE published_at IS NULL ORDER BY aggregateid, version, seq LIMIT $1";
    let mark =
        "UPDATE outbox SET published_at = now() WHERE id = ANY ($1) AND published_at IS NULL";
    let seen = before.query(load, &[&10_i64]).await.unwrap();
    let seen: Vec<Uuid> = seen.iter().map(|row| row.get(0)).collect();
    assert_eq!(seen, events.clone().map(|event| event.id), "in order");
    let marked = vec![events[0].id, events[2].id];
    before.execute(mark, &[&marked]).await.unwrap();

    assert_eq!(unpublished(&*store).await, [events[1].id]);
    assert_eq!(store.count_parked().await.unwrap(), 0);
    let deleted = store.prune(HOUR).await.unwrap();
    assert_eq!(deleted, 3, "what was marked, and what parked it");
    assert_eq!(unpublished(&*store).await, [events[1].id]);
}

#[tokio::test]
async fn processes_that_start_together_make_the_tables_once() {
    let fixture = Schema::make();
    let opened = futures::future::join_all((0..4).map(|_| fixture.open())).await;
    for store in &opened {
        stored_row(&**store).await;
    }
    let ids: Vec<_> = opened[0].list(Query::page(0, 10)).await.unwrap();
    assert_eq!(ids.len(), 4);
}

#[tokio::test]
async fn two_processes_on_one_schema_write_against_each_other_safely() {
    let fixture = Schema::make();
    let stores = [fixture.open().await, fixture.open().await];
    for _ in 0..20 {
        let saga = stored_row(&*stores[0]).await;
        let id = stores[1].load(saga).await.unwrap().unwrap().id.unwrap();
        let mut update = row(saga, id);
        update.seen_version = 1;

        let (one, other) = futures::join!(
            save(&*stores[0], write_of(update.clone())),
            save(&*stores[1], write_of(update))
        );

        assert!(one.is_ok() != other.is_ok(), "{one:?} {other:?}");
        assert_eq!(stores[0].load(saga).await.unwrap().unwrap().version, 2);
    }
}

#[tokio::test]
async fn a_store_whose_server_went_away_works_again_when_it_is_back() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let kill = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1";
    let client = fixture.connect().await;
    assert_eq!(client.execute(kill, &[&fixture.name]).await.unwrap(), 1);

    let row = until("the store works again", async || {
        match store.load(saga).await {
            Ok(row) => Ok(row),
            Err(away @ StoreError::Unavailable(_)) => Err(format!("{away:?}")),
            Err(error) => panic!("{error:?}"),
        }
    })
    .await;
    assert!(row.is_some());
}

#[tokio::test]
async fn a_statement_that_takes_too_long_is_worth_another_try() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let holder = hold_rows(&fixture).await;

    let refused = store.load(saga).await;
    let running = running(&fixture).await;
    release(&holder).await;
    assert!(
        matches!(refused, Err(StoreError::Unavailable(_))),
        "{refused:?}"
    );
    assert_eq!(running, 0, "it was cancelled");
    assert!(store.load(saga).await.unwrap().is_some());
}

/// Locks the table of rows, until it is released.
async fn hold_rows(fixture: &Schema) -> Client {
    let holder = fixture.connect().await;
    let lock = holder.batch_execute("BEGIN; LOCK TABLE rows");
    lock.await.unwrap();
    holder
}

async fn release(holder: &Client) {
    holder.batch_execute("ROLLBACK").await.unwrap();
}

/// How many statements of a store the server has not ended.
async fn running(fixture: &Schema) -> i64 {
    let sql =
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND state = 'active'";
    let client = fixture.connect().await;
    client
        .query_one(sql, &[&fixture.name])
        .await
        .unwrap()
        .get(0)
}

#[tokio::test]
async fn what_nobody_waits_for_any_longer_keeps_no_connection_of_the_pool_busy() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let holder = hold_rows(&fixture).await;
    for _ in 0..20 {
        let _abandoned = tokio::time::timeout(Duration::from_millis(50), store.load(saga)).await;
    }
    let answers = store.ping().await;
    release(&holder).await;
    answers.unwrap();
    assert!(store.load(saga).await.unwrap().is_some());
}

#[tokio::test]
async fn what_is_stored_can_be_read_with_plain_sql() {
    let fixture = Schema::make();
    let store = fixture.open().await;
    let saga = new_uuid();
    let write = Write {
        row: Some(row(saga, 1)),
        events: vec![event(saga, 1)],
        ..Write::default()
    };
    save(&*store, write).await.unwrap();

    let sql = "SELECT rows.body->>'carId', outbox.payload->'a'->>0, outbox.aggregateid::text
        FROM rows JOIN outbox ON outbox.aggregateid = rows.correlation_id WHERE outbox.published_at IS NULL";
    let seen = fixture.connect().await.query_one(sql, &[]).await.unwrap();

    let (car, first, id): (&str, &str, String) = (seen.get(0), seen.get(1), seen.get(2));
    assert_eq!((car, first, id), ("7", "true", saga.to_string()));
}

#[tokio::test]
async fn a_schema_name_that_would_be_cut_off_or_need_escaping_is_refused() {
    for name in ["", "Upper", r#"a"b"#, "a b", &"long".repeat(16)] {
        let refused = open(name).await.err().unwrap();
        assert!(matches!(refused, OpenError::SchemaName { .. }), "{refused}");
    }
}

#[tokio::test]
async fn a_wrong_password_and_a_missing_server_say_what_to_check() {
    let wrong = PostgresOptions {
        credentials: Credentials::Given {
            username: server().username,
            password: "wrong".to_owned(),
        },
        ..options("unused")
    };
    let missing = PostgresOptions {
        port: free_port(),
        ..options("unused")
    };
    for options in [wrong, missing] {
        let refused = Postgres::open(options).await.err().unwrap();
        assert!(matches!(refused, OpenError::Connect { .. }), "{refused:?}");
        assert!(refused.to_string().contains("the credentials"), "{refused}");
    }
}

pub fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_a_kill() {
    if let Some(schema) = kill::database_to_write_to() {
        let store = open(&schema).await.unwrap();
        kill::write_until_killed(&store).await;
    }
    let fixture = Schema::make();
    let test = "postgres::every_acknowledged_write_survives_a_kill";

    let sagas = kill::sagas_written_by_a_killed_process(test, &fixture.name);

    let store = open(&fixture.name).await.unwrap();
    kill::assert_nothing_is_lost_or_torn(&store, &sagas).await;
}

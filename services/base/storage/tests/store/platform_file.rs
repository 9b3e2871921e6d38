//! The suite on one service of a platform's file, and tests of what its services share.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_broker::Retention;
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, EventType, Snapshot};
use innkeeper_kit::log::{Content, Delivery, Log, Record, Subscription};
use innkeeper_kit::store::{Changes, OutboxEvent, Query, RowChange, Scope, Seen, StepInput, Store};
use innkeeper_storage::{OpenError, PlatformFile, PlatformOptions, PlatformService};
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::{in_time, until};
use jiff::{SignedDuration, Timestamp};
use rusqlite::Connection;
use tempfile::TempDir;
use tokio::sync::Mutex;
use uuid::Uuid;

use crate::cases::kill;
use crate::given::{Write, event, full_write, new_uuid, row, save, stored_events, stored_row};
use crate::suite::{Fixture, conformance};

/// The services of the platform; the suite runs on the first.
const SERVICES: [&str; 2] = ["booking-1", "pay"];

fn service(name: &str) -> PlatformService {
    PlatformService {
        name: name.to_owned(),
        group: format!("group of {name}"),
    }
}

struct Shared {
    folder: TempDir,
    clock: Arc<MockClock>,
    open: Mutex<Option<PlatformFile>>,
}

impl Shared {
    fn make() -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            clock: Arc::default(),
            open: Mutex::default(),
        }
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("platform.1.db")
    }

    fn options(&self) -> PlatformOptions {
        PlatformOptions {
            retention: Retention::of(SignedDuration::from_hours(48), self.clock.clone()),
            ..PlatformOptions::new("rentcar".to_owned(), SERVICES.map(service).into())
        }
    }

    async fn file(&self) -> PlatformFile {
        PlatformFile::open(&self.path(), self.options())
            .await
            .unwrap()
    }

    fn beside(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn number(&self, sql: &str) -> i64 {
        self.beside().query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

#[async_trait]
impl Fixture for Shared {
    async fn open(&self) -> Arc<dyn Store> {
        let mut open = self.open.lock().await;
        if let Some(before) = open.take() {
            before.close().await;
        }
        let file = self.file().await;
        let store = file.store(SERVICES[0]).unwrap();
        *open = Some(file);
        store
    }

    async fn events(&self, _: &dyn Store) -> Vec<Uuid> {
        let beside = self.beside();
        let mut sql = beside
            .prepare(
                "SELECT json_extract(header_values, '$[0]') FROM records ORDER BY record_offset",
            )
            .unwrap();
        let ids = sql.query_map([], |row| row.get::<_, String>(0)).unwrap();
        ids.map(|id| id.unwrap().parse().unwrap()).collect()
    }

    async fn pass_time(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }
}

conformance!(shared Shared);

/// Reads so many records of a log.
async fn read(subscription: &mut dyn Subscription, count: usize) -> Vec<Arc<Record>> {
    let mut read = Vec::new();
    while read.len() < count {
        let delivery = in_time("a delivery", subscription.next()).await;
        if let Delivery::Records(records) = delivery.unwrap() {
            read.extend(records);
        }
    }
    read
}

async fn read_all(log: &dyn Log, count: usize) -> Vec<Arc<Record>> {
    read(&mut *log.subscribe().await.unwrap(), count).await
}

#[tokio::test]
async fn what_a_step_adds_is_in_the_log_as_it_was_written_and_nothing_else_is() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let store = file.store(SERVICES[0]).unwrap();
    let saga = new_uuid();
    let events: Vec<_> = (1..=3).map(|version| event(saga, version)).collect();
    let refused = full_write(new_uuid(), 1, 7);

    save(&*store, refused).await.unwrap_err();
    stored_events(&*store, &events).await;

    let log = file.log("view");
    let in_memory = read_all(&*log, 3).await;
    for (event, record) in events.iter().zip(&in_memory) {
        assert_eq!(record.key, Some(saga.to_string()));
        assert_eq!(record.content.headers(), event.headers);
        assert_eq!(*record.content.payload(), *event.payload.as_bytes());
    }
    drop(log);
    file.close().await;
    let file = fixture.file().await;
    assert_eq!(read_all(&*file.log("view"), 3).await, in_memory);
}

/// An event with all that an event of a booking has.
fn raised(saga: Uuid) -> OutboxEvent {
    let snapshot = Snapshot {
        customer: Some("kim \"\u{1f}\" 김".into()),
        attributes: [
            ("n".to_owned(), i64::MIN.into()),
            ("b".to_owned(), true.into()),
        ]
        .into(),
        ..Snapshot::default()
    };
    let event = Event {
        id: new_uuid(),
        source: EventSource {
            namespace: "default".to_owned(),
            platform: "rentcar".to_owned(),
            incarnation: 1,
            service: "booking-1".to_owned(),
        },
        event_type: EventType::BOOKING_CONFIRMED,
        time: Timestamp::UNIX_EPOCH,
        correlation_id: saga,
        causation_id: Some(new_uuid()),
        sequence: 2,
        traceparent: Some("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".into()),
        data: EventData {
            id: 1,
            event: "Confirmed".to_owned(),
            status: "confirmed".to_owned(),
            unlabelled: true,
            clock: 3,
            snapshot,
        },
    };
    OutboxEvent {
        id: event.id,
        aggregate_type: "booking".to_owned(),
        aggregate_id: saga,
        event_type: event.event_type.as_str().to_owned(),
        version: event.sequence,
        headers: event.headers(),
        payload: event.payload(),
        event: Some(Arc::new(event)),
    }
}

#[tokio::test]
async fn an_event_that_was_not_decoded_says_the_same_as_its_record_in_the_file() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let store = file.store(SERVICES[0]).unwrap();
    let event = raised(new_uuid());
    save(&*store, with_event(&event)).await.unwrap();
    let in_memory = read_all(&*file.log("view"), 1).await.remove(0);
    let Content::Event(known) = &in_memory.content else {
        panic!("{in_memory:?} is not known as an event");
    };
    file.close().await;

    let file = fixture.file().await;
    let in_file = read_all(&*file.log("view"), 1).await.remove(0);
    let Content::Encoded { headers, payload } = &in_file.content else {
        panic!("{in_file:?} is known as an event");
    };
    assert_eq!(
        (in_file.offset, &in_file.key),
        (in_memory.offset, &in_memory.key)
    );
    assert_eq!(*in_memory.content.headers(), **headers);
    assert_eq!(*in_memory.content.payload(), **payload);
    let (event_type, source) = (known.event_type, known.source.clone());
    let decoded = Event::decode(event_type, source, headers, payload);
    assert_eq!(decoded.unwrap(), **known);
}

#[tokio::test]
async fn services_of_one_file_have_rows_and_ids_of_their_own() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let [booking, pay] = SERVICES.map(|service| file.store(service).unwrap());
    let saga = stored_row(&*booking).await;
    assert_eq!(pay.load(saga).await.unwrap(), None);

    let (inbox, row) = (Some(new_uuid()), Some(row(saga, 1)));
    let write = Write {
        row,
        inbox,
        ..Write::default()
    };
    save(&*pay, write.clone()).await.unwrap();

    let of_booking = Write {
        row: None,
        events: vec![event(saga, 2)],
        ..write
    };
    save(&*booking, of_booking).await.unwrap();
    assert_eq!(pay.load(saga).await.unwrap().unwrap().id, Some(1));
    assert!(file.store("nobody").is_none());
}

#[tokio::test]
async fn services_may_be_called_like_tables_of_ours() {
    const NAMES: [&str; 8] = [
        "log",
        "records",
        "offsets",
        "rows",
        "outbox",
        "rows-log",
        "log-rows",
        "sqlite-master",
    ];
    let fixture = Shared::make();
    let options = || PlatformOptions {
        services: NAMES.map(service).into(),
        ..fixture.options()
    };
    let file = PlatformFile::open(&fixture.path(), options())
        .await
        .unwrap();
    let mut sagas = Vec::new();
    for name in NAMES {
        let store = file.store(name).unwrap();
        sagas.push(stored_row(&*store).await);
        stored_events(&*store, &[event(new_uuid(), 1)]).await;
    }
    file.close().await;

    let file = PlatformFile::open(&fixture.path(), options())
        .await
        .unwrap();
    for (name, own) in NAMES.into_iter().zip(&sagas) {
        let store = file.store(name).unwrap();
        for saga in &sagas {
            let is_there = store.load(*saga).await.unwrap().is_some();
            assert_eq!(is_there, saga == own, "{name}");
        }
    }
    assert_eq!(
        read_all(&*file.log("log"), NAMES.len()).await.len(),
        NAMES.len()
    );
}

#[tokio::test]
async fn a_file_has_one_opener_and_one_topic() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let in_use = PlatformFile::open(&fixture.path(), fixture.options()).await;
    let in_use = in_use.err().unwrap();
    assert!(matches!(in_use, OpenError::InUse { .. }), "{in_use}");
    file.close().await;

    let options = PlatformOptions {
        topic: "other".to_owned(),
        ..fixture.options()
    };
    let other = PlatformFile::open(&fixture.path(), options)
        .await
        .err()
        .unwrap();
    assert!(matches!(other, OpenError::OtherTopic { .. }), "{other}");
    assert!(
        other
            .to_string()
            .contains("platform.1.db holds the topic rentcar, not other")
    );
}

/// How many records are in the file.
const COUNT: &str = "SELECT count(*) FROM records";

/// Commits until so many records are left.
async fn commit_until_left(fixture: &Shared, store: &dyn Store, count: i64) {
    until("old records are pruned", async || {
        stored_row(store).await;
        let left = fixture.number(COUNT);
        (left == count)
            .then_some(())
            .ok_or(format!("{left} are left"))
    })
    .await;
}

#[tokio::test]
async fn records_are_pruned_when_they_are_old_and_every_group_has_read_them() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let store = file.store(SERVICES[0]).unwrap();
    let events: Vec<_> = (1..=4).map(|version| event(new_uuid(), version)).collect();
    stored_events(&*store, &events).await;
    let [quick, slow] = SERVICES.map(|name| file.log(&service(name).group));
    let (mut quick, mut slow) = (
        quick.subscribe().await.unwrap(),
        slow.subscribe().await.unwrap(),
    );
    let records = read(&mut *quick, 4).await;
    quick.mark_done(&records).await.unwrap();
    let records = read(&mut *slow, 4).await;

    fixture.pass_time(Duration::from_hours(72)).await;
    for _ in 0..3 {
        stored_row(&*store).await;
    }
    assert_eq!(fixture.number(COUNT), 4, "one group has read nothing");
    slow.mark_done(&records[..1]).await.unwrap();
    fixture.pass_time(Duration::from_mins(2)).await;
    commit_until_left(&fixture, &*store, 3).await;
    slow.mark_done(&records).await.unwrap();
    fixture.pass_time(Duration::from_mins(2)).await;
    commit_until_left(&fixture, &*store, 0).await;

    file.close().await;
    let file = fixture.file().await;
    stored_events(&*file.store(SERVICES[0]).unwrap(), &events[..1]).await;
    assert_eq!(fixture.number("SELECT min(record_offset) FROM records"), 4);
}

#[tokio::test]
async fn what_nobody_had_read_before_a_long_pause_is_read_after_it() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let events: Vec<_> = (1..=4).map(|version| event(new_uuid(), version)).collect();
    stored_events(&*file.store(SERVICES[0]).unwrap(), &events).await;
    let [begun, new] = SERVICES.map(|name| service(name).group);
    let mut subscription = file.log(&begun).subscribe().await.unwrap();
    let records = read(&mut *subscription, 4).await;
    subscription.mark_done(&records[..1]).await.unwrap();
    subscription.close().await.unwrap();
    file.close().await;

    fixture.pass_time(Duration::from_hours(24 * 30)).await;
    let file = fixture.file().await;
    stored_row(&*file.store(SERVICES[0]).unwrap()).await;

    assert_eq!(read_all(&*file.log(&begun), 3).await, records[1..]);
    assert_eq!(read_all(&*file.log(&new), 4).await, records);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumers_see_what_is_committed_although_a_step_beside_it_has_failed() {
    let fixture = Shared::make();
    let file = fixture.file().await;
    let store = file.store(SERVICES[0]).unwrap();
    let saga = new_uuid();
    let torn = vec![
        row(saga, 1),
        RowChange {
            seen_version: 7,
            ..row(new_uuid(), 2)
        },
    ];
    let of_torn = event(saga, 1);
    let fails = move |_: &Seen| {
        let (rows, events) = (torn.clone(), vec![of_torn.clone()]);
        Ok((
            Changes {
                rows,
                events,
                ..Changes::default()
            },
            (),
        ))
    };
    let (began, is_held) = std::sync::mpsc::channel();
    let (release, released) = std::sync::mpsc::channel::<()>();
    let holds_up = move |_: &Seen| {
        began.send(()).unwrap();
        released.recv().unwrap();
        Ok((Changes::default(), ()))
    };
    let nothing = || StepInput::about(Scope::Nothing);
    let events = [event(new_uuid(), 1), event(new_uuid(), 1)];
    let beside = async {
        let held = tokio::task::spawn_blocking(move || is_held.recv()).await;
        held.unwrap().unwrap();
        tokio::join!(
            biased;
            save(&*store, with_event(&events[0])),
            store.decide(nothing(), fails),
            save(&*store, with_event(&events[1])),
            async { release.send(()).unwrap() },
        )
    };

    let (held_up, (first, failed, last, ())) =
        tokio::join!(store.decide(nothing(), holds_up), beside);

    held_up.unwrap().done();
    first.unwrap();
    last.unwrap();
    assert!(failed.is_err());
    let in_memory = read_all(&*file.log("view"), 2).await;
    let offsets: Vec<_> = in_memory.iter().map(|record| record.offset).collect();
    assert_eq!(offsets, [0, 1]);
    for (event, record) in events.iter().zip(&in_memory) {
        assert_eq!(record.content.headers(), event.headers);
    }
    assert_eq!(fixture.events(&*store).await, [events[0].id, events[1].id]);
}

fn with_event(event: &OutboxEvent) -> Write {
    Write {
        events: vec![event.clone()],
        ..Write::default()
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_acknowledged_write_survives_a_kill() {
    let options = |fixture: &Shared| fixture.options();
    if let Some(path) = kill::database_to_write_to() {
        let file = PlatformFile::open(path.as_ref(), options(&Shared::make())).await;
        kill::write_until_killed(&*file.unwrap().store(SERVICES[0]).unwrap()).await;
    }
    let fixture = Shared::make();
    let test = "platform_file::every_acknowledged_write_survives_a_kill";
    let path = fixture.path().display().to_string();

    let sagas = kill::sagas_written_by_a_killed_process(test, &path);

    let store = fixture.open().await;
    for saga in sagas {
        assert!(store.load(saga).await.unwrap().is_some(), "lost {saga}");
    }
    let rows = store.list(Query::page(0, 1_000_000)).await.unwrap();
    let mut written: Vec<_> = rows
        .iter()
        .map(|row| row.correlation_id.to_string())
        .collect();
    let log = fixture.open.lock().await.as_ref().unwrap().log("view");
    let records = read_all(&*log, rows.len()).await;
    let mut published: Vec<_> = records
        .into_iter()
        .filter_map(|record| record.key.clone())
        .collect();
    written.sort();
    published.sort();
    assert_eq!(written, published, "a row and its event are one commit");
}

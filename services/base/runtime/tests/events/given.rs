//! A service with a store of its own, the log of its platform, and events to begin with.

use std::sync::Arc;
use std::time::Duration;

use futures::StreamExt;
use innkeeper_broker::{MemoryLog, Retention};
use innkeeper_contracts::event::EventSource;
use innkeeper_contracts::{Event, EventData, EventType, ServiceSettings, Snapshot};
use innkeeper_kit::log::{Log, NewRecord};
use innkeeper_kit::store::{DeadLetter, DeadLetterQuery, Store};
use innkeeper_kit::{Clock, CrashPlan};
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::Reactor;
use innkeeper_runtime::consumer::Consumer;
use innkeeper_runtime::context::Context;
use innkeeper_runtime::dead_letters::DeadLetters;
use innkeeper_runtime::health::Health;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::reception::Reception;
use innkeeper_storage::Sqlite;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::patience::PATIENCE;
use jiff::SignedDuration;
use serde_json::json;
use tempfile::TempDir;
use uuid::Uuid;

/// How long the log keeps records.
pub const RETENTION: SignedDuration = SignedDuration::from_hours(1);

/// How long a record whose effect fails is tried.
pub const TRY_FOR: Duration = Duration::from_millis(500);

/// The topic, which is in the inbox keys of records that have none of their own.
pub const TOPIC: &str = "rentcar";

/// A payment service: its settings, its store in a folder of its own, and the log.
pub struct Service {
    pub clock: Arc<MockClock>,
    pub log: MemoryLog,
    pub context: Context,
    _folder: TempDir,
}

impl Service {
    pub async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let clock = Arc::new(MockClock::default());
        let file = folder.path().join("pay.db");
        let store = Sqlite::open(&file, clock.clone()).await.unwrap();
        let context = Context {
            settings: Arc::new(settings()),
            store: Arc::new(store),
            clock: clock.clone(),
            client: Client::new(),
            crash: CrashPlan::default(),
            process: Uuid::now_v7(),
            tasks: Lifecycle::new(),
        };
        Self {
            log: MemoryLog::new(Retention::of(RETENTION, clock.clone())),
            clock,
            context,
            _folder: folder,
        }
    }

    pub fn store(&self) -> &dyn Store {
        &*self.context.store
    }

    /// Appends records at once, so that they are delivered at once.
    pub async fn append(&self, records: Vec<NewRecord>) {
        let log = self.log.for_group("writer");
        let appended: Vec<_> = log.append(records).collect().await;
        assert!(appended.iter().all(|(_, result)| result.is_ok()));
    }

    /// Lets a consumer of the service's own group run.
    pub fn consume(&self, reactor: Arc<dyn Reactor>) -> Consuming {
        self.consume_from(self.log.for_group("pay"), reactor)
    }

    /// Lets a consumer run.
    pub fn consume_from(&self, log: Arc<dyn Log>, reactor: Arc<dyn Reactor>) -> Consuming {
        self.consume_with(
            log,
            Reception::new(&self.context, reactor, EventType::KNOWN),
        )
    }

    /// Lets a consumer run, in the release that this is the reception of.
    pub fn consume_with(&self, log: Arc<dyn Log>, reception: Reception) -> Consuming {
        let lifecycle = Lifecycle::new();
        let health = Health::new(&lifecycle);
        let metrics = Metrics::new("rentcar", "pay");
        let letters = DeadLetters::new(&self.context, Arc::new(reception), &metrics);
        let letters = Arc::new(letters);
        let consumer = Consumer::new(
            &self.context,
            log,
            Arc::clone(&letters),
            health.clone(),
            &metrics,
        );
        let consuming = consumer.run(TRY_FOR, lifecycle.stopping());
        lifecycle.spawn("consumer", consuming);
        Consuming {
            health,
            letters,
            lifecycle,
            metrics,
        }
    }
}

/// A consumer that runs.
pub struct Consuming {
    pub health: Health,
    pub letters: Arc<DeadLetters>,
    lifecycle: Lifecycle,
    metrics: Metrics,
}

impl Consuming {
    /// Tells it to end, and waits until it has; what it has counted is returned.
    pub async fn stop(self) -> Metrics {
        self.lifecycle.stop();
        assert!(self.lifecycle.drain(PATIENCE).await, "it ends in time");
        assert_eq!(self.lifecycle.failure(), None);
        self.metrics
    }
}

/// The value of a series without labels of its own, or with an outcome.
pub fn counted(metrics: &Metrics, name: &str, outcome: Option<&str>) -> u64 {
    let outcome = outcome.map(|outcome| format!(r#"outcome="{outcome}","#));
    let labels = r#"platform="rentcar",service="pay""#;
    let series = format!("{name}{{{}{labels}}} ", outcome.unwrap_or_default());
    let text = metrics.render();
    let value = text.lines().find_map(|line| line.strip_prefix(&series));
    value
        .unwrap_or_else(|| panic!("no {series} in {text}"))
        .parse()
        .unwrap()
}

/// Every dead letter, oldest first.
pub async fn dead_letters(service: &Service) -> Vec<DeadLetter> {
    let query = DeadLetterQuery {
        kind: None,
        after: 0,
        limit: 100,
    };
    let stored = service.store().list_dead_letters(query).await.unwrap();
    stored.into_iter().map(|stored| stored.letter).collect()
}

/// How many dead letters of a kind are shown.
pub fn shown_letters(metrics: &Metrics, kind: &str) -> u64 {
    let labels = r#"platform="rentcar",service="pay""#;
    let series = format!(r#"innkeeper_dead_letters{{kind="{kind}",{labels}}} "#);
    let text = metrics.render();
    let mut lines = text.lines();
    let value = lines.find_map(|line| line.strip_prefix(&series));
    value.unwrap().parse().unwrap()
}

/// How many records came to this.
pub fn outcomes(metrics: &Metrics, outcome: &str) -> u64 {
    counted(metrics, "innkeeper_events_consumed_total", Some(outcome))
}

fn settings() -> ServiceSettings {
    let settings = json!({
        "namespace": "default",
        "platform": "rentcar",
        "service": "pay",
        "component": { "payment": {} },
        "log": { "sqlite": { "file": "unused", "topic": TOPIC, "group": "unused" } },
    });
    serde_json::from_value(settings).unwrap()
}

/// An event by its name, such as `kim-1`; what stands before the hyphen is its saga.
pub fn event(name: &str) -> Event {
    let saga = name.split('-').next().unwrap_or_default();
    Event {
        id: Uuid::now_v7(),
        source: EventSource {
            service: "reservation".to_owned(),
            ..EventSource::of(&settings())
        },
        event_type: EventType::BOOKING_CONFIRMED,
        time: MockClock::default().now(),
        correlation_id: Uuid::new_v5(&Uuid::NAMESPACE_OID, saga.as_bytes()),
        causation_id: None,
        sequence: 1,
        traceparent: None,
        data: EventData {
            id: 1,
            event: name.to_owned(),
            status: "Reserved".to_owned(),
            unlabelled: false,
            clock: 1,
            snapshot: Snapshot::default(),
        },
    }
}

/// The record of an event.
pub fn record_of(event: &Event) -> NewRecord {
    NewRecord {
        id: event.id,
        key: event.correlation_id.to_string(),
        headers: event.headers(),
        payload: serde_json::to_vec(&event.data).unwrap(),
    }
}

/// The record of the event with a name.
pub fn record(name: &str) -> NewRecord {
    record_of(&event(name))
}

/// A record that no service of ours wrote.
pub fn poison(key: &str) -> NewRecord {
    NewRecord {
        id: Uuid::now_v7(),
        key: key.to_owned(),
        headers: Vec::new(),
        payload: vec![0xff, 0x00, 0xfe],
    }
}

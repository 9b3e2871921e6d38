//! The relay: events leave the outbox in order, at least once, from one process at a time.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::http::{Request, StatusCode};
use http_body_util::BodyExt;
use innkeeper_contracts::pod;
use innkeeper_kit::log::{Log, NewRecord};
use innkeeper_kit::store::{Changes, OutboxEvent, Scope, StepInput};
use innkeeper_runtime::admin;
use innkeeper_runtime::health::Health;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::relay::Relay;
use innkeeper_runtime::transport::Transports;
use innkeeper_testkit::patience::{PATIENCE, until, until_watched};
use jiff::SignedDuration;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use uuid::Uuid;

use crate::given::{Service, counted};
use crate::log::{Does, Failing, Panicking, Picky};

const MINUTE: Duration = Duration::from_mins(1);

/// Writes events of one saga, numbered from 0.
async fn told(service: &Service, count: i64) -> Vec<String> {
    let numbers = (0..count).map(|number| number.to_string());
    let payloads: Vec<String> = numbers.collect();
    write(service, saga(&payloads)).await;
    payloads
}

/// Events of a new saga with these payloads.
fn saga(payloads: &[String]) -> Vec<OutboxEvent> {
    saga_with(Uuid::now_v7(), payloads)
}

fn saga_with(saga: Uuid, payloads: &[String]) -> Vec<OutboxEvent> {
    let events = payloads
        .iter()
        .zip(1..)
        .map(|(payload, version)| OutboxEvent {
            id: Uuid::now_v7(),
            aggregate_type: "payment".to_owned(),
            aggregate_id: saga,
            event_type: "dev.innkeeper.payment.captured.v1".to_owned(),
            version,
            headers: Vec::new(),
            payload: payload.clone(),
            event: None,
        });
    events.collect()
}

async fn write(service: &Service, events: Vec<OutboxEvent>) {
    let changes = Changes {
        events,
        ..Changes::default()
    };
    let input = StepInput::about(Scope::Nothing);
    let wrote = service
        .store()
        .decide(input, move |_| Ok((changes.clone(), ())));
    wrote.await.unwrap().done();
}

/// Writes one event for each of so many sagas: `stuck` and its number, for example.
async fn tell_each(service: &Service, name: &str, sagas: usize) {
    let events = (0..sagas).flat_map(|number| saga(&[format!("{name}{number}")]));
    write(service, events.collect()).await;
}

async fn waiting(service: &Service) -> usize {
    service
        .store()
        .load_unpublished(None, u32::MAX)
        .await
        .unwrap()
        .len()
}

/// Waits until every event is deleted. A relay that is stopped before that may send events again.
async fn all_deleted(service: &Service) {
    until("every event is deleted", async || {
        match waiting(service).await {
            0 => Ok(()),
            waiting => Err(format!("{waiting} are waiting")),
        }
    })
    .await;
}

/// Takes or renews the lease for another process for a minute; `false` while a third one holds it.
async fn leased(service: &Service, other: Uuid) -> bool {
    let taken = service.store().take_relay_lease(other, MINUTE).await;
    taken.unwrap()
}

/// The service's log, which fails this many times before it works.
fn failing(times: u32, service: &Service) -> Arc<Failing> {
    let store = Arc::clone(&service.context.store);
    Failing::times(times, service.log.for_group("pay"), store)
}

/// Every payload that the log took, in order.
fn taken(log: &Failing) -> Vec<String> {
    let appends = log.appends.borrow();
    let payloads = appends.iter().flat_map(|append| &append.payloads);
    payloads.cloned().collect()
}

/// A relay that runs.
struct Relaying {
    lifecycle: Lifecycle,
    metrics: Metrics,
}

fn relay(service: &Service, log: Arc<dyn Log>) -> Relaying {
    let (lifecycle, metrics) = (Lifecycle::new(), Metrics::new("rentcar", "pay"));
    let relay = Relay::new(&service.context, log, &metrics);
    lifecycle.spawn("relay", relay.run(lifecycle.stopping()));
    Relaying { lifecycle, metrics }
}

impl Relaying {
    async fn stop(self) -> Metrics {
        self.lifecycle.stop();
        assert!(self.lifecycle.drain(PATIENCE).await, "it ends in time");
        assert_eq!(self.lifecycle.failure(), None);
        self.metrics
    }
}

/// The end of a relay, and nothing before it.
async fn last_words(service: &Service, log: Arc<dyn Log>) {
    let ending = CancellationToken::new();
    ending.cancel();
    let relay = Relay::new(&service.context, log, &Metrics::new("rentcar", "pay"));
    relay.run(ending).await;
}

#[tokio::test]
async fn events_are_sent_in_order_and_deleted_afterwards() {
    let service = Service::new().await;
    let told = told(&service, 1500).await;
    let log = failing(0, &service);

    let relaying = relay(&service, log.clone());
    all_deleted(&service).await;
    let metrics = relaying.stop().await;

    assert_eq!(taken(&log), told);
    assert!(log.appends.borrow().len() > 1, "more than one batch");
    assert!(log.appends.borrow().iter().all(|append| append.kept));
    let published = counted(&metrics, "innkeeper_events_published_total", None);
    assert_eq!(published, 1500);
}

#[tokio::test]
async fn events_that_come_while_it_runs_are_sent() {
    let service = Service::new().await;
    let log = failing(0, &service);
    let relaying = relay(&service, log.clone());
    for round in 1..=3 {
        told(&service, 1).await;
        let is_next = |appends: &Vec<_>| appends.len() == round;
        until_watched("what is appended", &log.appends, is_next).await;
    }
    relaying.stop().await;
}

#[tokio::test]
async fn events_are_kept_while_the_log_fails_and_sent_later() {
    let service = Service::new().await;
    let told = told(&service, 3).await;
    let log = failing(2, &service);

    let relaying = relay(&service, log.clone());
    all_deleted(&service).await;
    let metrics = relaying.stop().await;

    assert_eq!(taken(&log), told);
    let failures = counted(&metrics, "innkeeper_relay_failures_total", None);
    assert_eq!(failures, 2);
}

/// What the log does with records about `stuck`; it takes all others.
fn unless_stuck(does: fn() -> Does) -> impl Fn(&NewRecord) -> Does {
    move |record| {
        if record.payload.starts_with(b"stuck") {
            return does();
        }
        Does::Take
    }
}

async fn taken_by(log: &Picky, name: &str, count: usize) {
    let are_taken = |taken: &Vec<String>| {
        let taken = taken.iter().filter(|payload| payload.starts_with(name));
        taken.count() >= count
    };
    until_watched("what is taken", &log.taken, are_taken).await;
}

#[tokio::test]
async fn a_record_that_fails_delays_only_its_saga() {
    let service = Service::new().await;
    let stuck = ["stuck1", "stuck2"].map(str::to_owned);
    write(&service, saga(&stuck)).await;
    let log = Picky::new(unless_stuck(|| Does::Fail));
    let relaying = relay(&service, log.clone());
    let is_tried = |tries: &Vec<String>| tries.contains(&stuck[0]);
    until_watched("what is tried", &log.tries, is_tried).await;

    tell_each(&service, "other", 600).await;
    taken_by(&log, "other", 600).await;
    until("only the stuck saga is left", async || {
        match waiting(&service).await {
            2 => Ok(()),
            waiting => Err(format!("{waiting} are waiting")),
        }
    })
    .await;
    assert!(!log.tries.borrow().contains(&stuck[1]), "never out of turn");

    log.change_its_mind(|_| Does::Take);
    all_deleted(&service).await;
    let metrics = relaying.stop().await;
    assert_eq!(log.taken.borrow()[600..], stuck);
    let published = counted(&metrics, "innkeeper_events_published_total", None);
    assert_eq!(published, 602);
}

#[tokio::test]
async fn more_sagas_than_a_batch_that_fail_or_get_no_answer_delay_no_other_one() {
    let fails: fn() -> Does = || Does::Fail;
    for does in [fails, || Does::Stall] {
        let service = Service::new().await;
        tell_each(&service, "stuck", 1_200).await;
        let log = Picky::new(unless_stuck(does));
        let relaying = relay(&service, log.clone());
        let are_tried = |tries: &Vec<String>| tries.len() >= 1_200;
        until_watched("what is tried", &log.tries, are_tried).await;

        tell_each(&service, "other", 600).await;
        taken_by(&log, "other", 600).await;
        until("only the stuck sagas are left", async || {
            match waiting(&service).await {
                1_200 => Ok(()),
                waiting => Err(format!("{waiting} are waiting")),
            }
        })
        .await;

        log.change_its_mind(|_| Does::Take);
        all_deleted(&service).await;
        relaying.stop().await;
    }
}

#[tokio::test]
async fn a_partition_that_answers_nothing_delays_no_saga_of_another_one() {
    const STUCK: u128 = 5_000;
    let service = Service::new().await;
    let stuck = (0..STUCK).flat_map(|number| saga_with(Uuid::from_u128(number), &["stuck".into()]));
    write(&service, stuck.collect()).await;
    let log = Picky::new(unless_stuck(|| Does::Stall));
    let relaying = relay(&service, log.clone());
    let are_tried = |tries: &Vec<String>| tries.len() >= 1_000;
    until_watched("what is tried", &log.tries, are_tried).await;

    tell_each(&service, "other", 600).await;
    taken_by(&log, "other", 600).await;

    log.change_its_mind(|_| Does::Take);
    all_deleted(&service).await;
    relaying.stop().await;
}

/// A relay whose log has refused the first event of a saga with two.
async fn parked(service: &Service) -> (Arc<Picky>, Relaying, Uuid) {
    let events = saga(&["stuck1", "after"].map(str::to_owned));
    let refused = events[0].id;
    write(service, events).await;
    let log = Picky::new(unless_stuck(|| Does::Refuse));
    let relaying = relay(service, log.clone());
    until("an event is parked", async || {
        match service.store().count_parked().await.unwrap() {
            1 => Ok(()),
            parked => Err(format!("{parked} are parked")),
        }
    })
    .await;
    (log, relaying, refused)
}

#[tokio::test]
async fn a_refused_event_is_parked_and_its_saga_waits_until_it_is_replayed() {
    let service = Service::new().await;
    let (log, relaying, refused) = parked(&service).await;
    tell_each(&service, "other", 600).await;
    taken_by(&log, "other", 600).await;

    let listed = service.store().list_parked(10).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(listed[0].event.id, refused);
    assert!(listed[0].reason.contains("on purpose"), "{listed:?}");
    assert_eq!(log.tries.borrow()[..2], ["stuck1", "other0"], "tried once");
    let of_the_saga = |payload: &String| payload == "stuck1" || payload == "after";
    assert!(!log.taken.borrow().iter().any(of_the_saga));
    let seen = |name| counted(&relaying.metrics, name, None);
    assert_eq!(seen("innkeeper_events_refused_total"), 1);
    assert_eq!(seen("innkeeper_parked_events"), 1);

    log.change_its_mind(|_| Does::Take);
    assert!(service.store().replay_parked(refused).await.unwrap());
    taken_by(&log, "after", 1).await;
    relaying.stop().await;
    assert_eq!(log.taken.borrow()[600..], ["stuck1", "after"]);
    assert_eq!(waiting(&service).await, 0);
}

#[tokio::test]
async fn the_later_events_of_a_saga_go_on_once_its_parked_event_is_discarded() {
    let service = Service::new().await;
    let (log, relaying, refused) = parked(&service).await;
    assert!(service.store().discard_parked(refused).await.unwrap());
    taken_by(&log, "after", 1).await;
    relaying.stop().await;
    assert_eq!(*log.taken.borrow(), ["after"]);
    assert_eq!(waiting(&service).await, 0);
}

#[tokio::test]
async fn events_stay_in_the_outbox_when_the_log_fails_to_the_end() {
    let service = Service::new().await;
    told(&service, 3).await;
    last_words(&service, failing(u32::MAX, &service)).await;
    assert_eq!(waiting(&service).await, 3);
}

#[tokio::test]
async fn without_the_lease_nothing_is_sent_until_it_is_free() {
    let service = Service::new().await;
    let told = told(&service, 3).await;
    let log = failing(0, &service);
    let other = Uuid::now_v7();
    assert!(leased(&service, other).await);

    last_words(&service, log.clone()).await;
    assert_eq!(taken(&log), Vec::<String>::new());
    assert_eq!(waiting(&service).await, 3);

    let relaying = relay(&service, log.clone());
    // The store answers in the order of requests, so the relay has had its answer as well.
    tokio::task::yield_now().await;
    assert!(leased(&service, other).await);
    let over = SignedDuration::try_from(MINUTE).unwrap();
    service.clock.advance(over);
    all_deleted(&service).await;
    assert!(!leased(&service, other).await);
    relaying.stop().await;
    assert_eq!(taken(&log), told);
}

#[tokio::test]
async fn at_its_end_the_last_events_are_sent_and_the_lease_is_given_back() {
    let service = Service::new().await;
    let told = told(&service, 3).await;
    let log = failing(0, &service);

    last_words(&service, log.clone()).await;

    assert_eq!(taken(&log), told);
    assert_eq!(waiting(&service).await, 0);
    let other = Uuid::now_v7();
    let free = leased(&service, other).await;
    assert!(
        free,
        "by a clock that stands still, only if it was given back"
    );
}

#[tokio::test]
async fn a_relay_that_panicked_shows_in_livez_and_loses_nothing() {
    let service = Service::new().await;
    told(&service, 3).await;
    let intake = Lifecycle::new();
    let outlet = intake.beside();
    let metrics = Metrics::new("rentcar", "pay");
    let health = Health::new(&intake);
    let admin = admin::router(
        health,
        metrics.clone(),
        &service.context.settings,
        Transports::new(&metrics),
    );

    let relay = Relay::new(&service.context, Arc::new(Panicking), &metrics);
    outlet.spawn("relay", relay.run(outlet.stopping()));
    assert!(outlet.drain(PATIENCE).await);

    let request = Request::get(pod::LIVEZ).body(Body::empty()).unwrap();
    let answer = admin.oneshot(request).await.unwrap();
    assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
    let body = answer.into_body().collect().await.unwrap().to_bytes();
    let body = String::from_utf8_lossy(&body).into_owned();
    assert!(body.contains("the task relay panicked"), "{body}");
    assert_eq!(waiting(&service).await, 3);
}

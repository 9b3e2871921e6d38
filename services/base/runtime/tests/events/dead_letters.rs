//! Dead letters: what this release does not know is held, and what is held has its effect once.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use async_trait::async_trait;
use futures::StreamExt;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::Failure;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{DeadLetterKind, Query};
use innkeeper_runtime::component::{Chore as _, Reactor};
use innkeeper_runtime::dead_letters::{DeadLetters, Replayed, Revision};
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::reception::Reception;
use innkeeper_testkit::patience::{PATIENCE, until};

use crate::given::{
    Consuming, Service, dead_letters, event, outcomes, poison, record, record_of, shown_letters,
};
use crate::reactor::{Scripted, Storing, failed, unknown_state};

/// The types of events that an older release knows.
const OLDER: &[EventType] = &[EventType::BOOKING_CONFIRMED];

/// Lets a consumer of an older release run, beside newer ones in the same group.
fn consume_older(service: &Service) -> Consuming {
    let storing = Arc::new(Storing(Arc::clone(&service.context.store)));
    let reception = Reception::new(&service.context, storing, OLDER);
    service.consume_with(service.log.for_group("pay"), reception)
}

/// The dead letters of the service in this release, of which no consumer runs.
fn letters_of(service: &Service) -> Arc<DeadLetters> {
    let storing = Arc::new(Storing(Arc::clone(&service.context.store)));
    let reception = Arc::new(Reception::new(&service.context, storing, EventType::KNOWN));
    let metrics = Metrics::new("rentcar", "pay");
    Arc::new(DeadLetters::new(&service.context, reception, &metrics))
}

async fn effects(service: &Service) -> usize {
    let rows = service.store().list(Query::page(0, 100)).await;
    rows.unwrap().len()
}

/// Waits until so many records are dead letters.
async fn until_dead(service: &Service, count: usize) {
    let look = async || {
        let letters = dead_letters(service).await;
        (letters.len() == count)
            .then_some(())
            .ok_or(format!("{letters:?}"))
    };
    until("dead letters", look).await;
}

#[tokio::test]
async fn what_an_older_release_does_not_know_is_held_for_the_newer_one() {
    let service = Service::new().await;
    let mut cancelled = event("kim-2");
    cancelled.event_type = EventType::BOOKING_CANCELLED;
    service
        .append(vec![record("kim-1"), record_of(&cancelled)])
        .await;

    let older = consume_older(&service);
    until_dead(&service, 1).await;
    let revision = Revision(Arc::clone(&older.letters));
    let metrics = older.stop().await;
    revision.round().await.unwrap();
    assert_eq!(outcomes(&metrics, "none"), 0);
    assert_eq!(shown_letters(&metrics, "Unknown"), 1);
    let letter = &dead_letters(&service).await[0];
    assert_eq!(letter.kind, DeadLetterKind::Unknown);
    assert_eq!(letter.tries, 1, "nothing is tried that is not known");
    assert_eq!(effects(&service).await, 1);

    let newer = Revision(letters_of(&service));
    newer.round().await.unwrap();
    newer.round().await.unwrap();
    assert_eq!(dead_letters(&service).await, []);
    assert_eq!(effects(&service).await, 2);
}

/// An older release's reactor: the rows of some sagas are in a state that it does not know.
struct Narrow(Storing);

#[async_trait]
impl Reactor for Narrow {
    fn wants(&self) -> &'static [EventType] {
        self.0.wants()
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        if event.data.event.starts_with("new") {
            return Err(unknown_state().into());
        }
        self.0.react(event).await
    }
}

#[tokio::test]
async fn releases_beside_each_other_let_every_event_have_its_effect_once() {
    let service = Service::new().await;
    let storing = Narrow(Storing(Arc::clone(&service.context.store)));
    let reception = Reception::new(&service.context, Arc::new(storing), OLDER);
    let older = service.consume_with(service.log.for_group("pay"), reception);
    let storing = Arc::new(Storing(Arc::clone(&service.context.store)));
    let newer = service.consume(storing);
    let revision = Revision(Arc::clone(&newer.letters));
    let lifecycle = Lifecycle::new();
    let rounds = async move {
        loop {
            revision.round().await.unwrap();
            tokio::task::yield_now().await;
        }
    };
    let stopping = lifecycle.stopping();
    lifecycle.spawn("revision", async move {
        stopping.run_until_cancelled(rounds).await;
    });

    for saga in 0..20 {
        let mut cancelled = event(&format!("kim{saga}-2"));
        cancelled.event_type = EventType::BOOKING_CANCELLED;
        let known = record(&format!("kim{saga}-1"));
        let new_state = record(&format!("new{saga}-1"));
        let batch = vec![known, record_of(&cancelled), new_state];
        service.append(batch).await;
    }

    let all = async || {
        let (effects, letters) = (effects(&service).await, dead_letters(&service).await);
        let is_done = effects == 60 && letters.is_empty();
        is_done
            .then_some(())
            .ok_or(format!("{effects}, {letters:?}"))
    };
    until("every effect, and no dead letter", all).await;
    let metrics = older.stop().await;
    assert!(
        outcomes(&metrics, "dead-letter") > 0,
        "the older one had some"
    );
    newer.stop().await;
    lifecycle.stop();
    assert!(lifecycle.drain(PATIENCE).await);
    assert_eq!(effects(&service).await, 60);
    assert_eq!(dead_letters(&service).await, []);
}

#[tokio::test]
async fn a_type_that_nobody_knows_is_held_and_not_read() {
    let service = Service::new().await;
    let mut unknown = record("kim-1");
    for (name, value) in &mut unknown.headers {
        if name == "ce_type" {
            "dev.innkeeper.wallet.charged.v1".clone_into(value);
        }
    }
    unknown.payload = b"not even JSON".to_vec();
    service.append(vec![unknown, record("lee-1")]).await;
    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    until_dead(&service, 1).await;
    consuming.stop().await;

    let letter = &dead_letters(&service).await[0];
    assert_eq!(letter.kind, DeadLetterKind::Unknown);
    assert!(letter.error.contains("wallet.charged.v1"), "{letter:?}");
    Revision(letters_of(&service)).round().await.unwrap();
    assert_eq!(dead_letters(&service).await.len(), 1);
}

#[tokio::test]
async fn a_row_in_a_state_that_is_not_known_holds_its_event_at_once() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let is_newer = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&is_newer);
    let reactor = Scripted::new(move |_, _| {
        let knows = seen.load(Ordering::SeqCst);
        knows.then_some(()).ok_or_else(unknown_state)
    });
    let consuming = service.consume(reactor.clone());
    until_dead(&service, 1).await;
    assert_eq!(reactor.tries_of("kim-1"), 1);
    let letter = &dead_letters(&service).await[0];
    assert_eq!(letter.kind, DeadLetterKind::Unknown);

    is_newer.store(true, Ordering::SeqCst);
    let revision = Revision(Arc::clone(&consuming.letters));
    revision.round().await.unwrap();
    consuming.stop().await;
    assert_eq!(reactor.all_done(), ["kim-1"]);
    assert_eq!(dead_letters(&service).await, []);
}

#[tokio::test]
async fn what_stays_unknown_is_tried_ever_more_rarely() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let reactor = Scripted::new(|_, _| Err(unknown_state()));
    let consuming = service.consume(reactor.clone());
    until_dead(&service, 1).await;
    let letters = Arc::clone(&consuming.letters);
    consuming.stop().await;
    let before = reactor.tries_of("kim-1");

    let mut rounds = Vec::new();
    for round in 0..300 {
        let so_far = reactor.tries_of("kim-1");
        letters.replay_known().await.unwrap();
        if reactor.tries_of("kim-1") > so_far {
            rounds.push(round);
        }
    }
    let pauses: Vec<i32> = rounds.windows(2).map(|two| two[1] - two[0]).collect();
    assert_eq!(before, 1);
    assert_eq!(rounds[0], 0, "a new process tries everything");
    assert!(rounds.len() < 12, "{rounds:?}");
    assert!(pauses.is_sorted(), "{rounds:?}");
    assert_eq!(pauses.last(), Some(&64), "{rounds:?}");
}

#[tokio::test]
async fn a_replay_has_its_effect_once_even_if_two_ask_for_it() {
    let service = Service::new().await;
    let mut cancelled = event("kim-1");
    cancelled.event_type = EventType::BOOKING_CANCELLED;
    service.append(vec![record_of(&cancelled)]).await;
    let older = consume_older(&service);
    until_dead(&service, 1).await;
    older.stop().await;
    let id = dead_letters(&service).await[0].id;

    let letters = letters_of(&service);
    let (one, other) = tokio::join!(letters.replay(id), letters.replay(id));

    let both = [one.unwrap(), other.unwrap()];
    let done = Replayed::Done(Effect::Done);
    assert_eq!(both.iter().filter(|it| **it == done).count(), 1, "{both:?}");
    assert_eq!(effects(&service).await, 1);
    assert_eq!(dead_letters(&service).await, []);
    assert_eq!(letters.replay(id).await.unwrap(), Replayed::Missing);
}

#[tokio::test]
async fn a_replay_that_fails_again_leaves_the_letter_with_its_new_error() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let reactor = Scripted::new(|_, _| Err(failed()));
    let consuming = service.consume(reactor);
    until_dead(&service, 1).await;
    let before = dead_letters(&service).await.remove(0);
    let letters = Arc::clone(&consuming.letters);
    let metrics = consuming.stop().await;

    let replayed = letters.replay(before.id).await.unwrap();

    assert!(matches!(replayed, Replayed::Again(_)), "{replayed:?}");
    let after = dead_letters(&service).await.remove(0);
    assert_eq!((after.id, after.tries), (before.id, before.tries + 1));
    assert_eq!(shown_letters(&metrics, "Failed"), 1);
}

#[tokio::test]
async fn what_was_discarded_has_no_effect_when_its_record_comes_again() {
    let service = Service::new().await;
    let mut cancelled = event("kim-1");
    cancelled.event_type = EventType::BOOKING_CANCELLED;
    service
        .append(vec![poison("nobody"), record_of(&cancelled)])
        .await;
    let older = consume_older(&service);
    until_dead(&service, 2).await;
    let letters = Arc::clone(&older.letters);
    let metrics = older.stop().await;
    for letter in dead_letters(&service).await {
        assert!(letters.discard(letter.id).await.unwrap());
        assert!(!letters.discard(letter.id).await.unwrap());
    }
    assert_eq!(shown_letters(&metrics, "Unknown"), 0);

    // Another group reads all of the log again.
    let storing = Arc::new(Storing(Arc::clone(&service.context.store)));
    let again = service.consume_from(service.log.for_group("again"), storing);
    service.append(vec![record("lee-1")]).await;
    until("the last record", async || {
        let effects = effects(&service).await;
        (effects == 1).then_some(()).ok_or(format!("{effects}"))
    })
    .await;
    again.stop().await;
    assert_eq!(effects(&service).await, 1, "of the last record alone");
    assert_eq!(dead_letters(&service).await, []);
}

#[tokio::test]
async fn other_poison_at_the_same_place_of_a_re_created_topic_is_kept_too() {
    let service = Service::new().await;
    for key in ["nobody", "nobody else"] {
        let topic = innkeeper_broker::MemoryLog::default();
        let log = topic.for_group("pay");
        let appended: Vec<_> = log.append(vec![poison(key)]).collect().await;
        assert!(appended[0].1.is_ok());
        let consuming = service.consume_from(log, Scripted::willing());
        let before = dead_letters(&service).await.len();
        until_dead(&service, before + 1).await;
        consuming.stop().await;
    }
    let letters = dead_letters(&service).await;
    assert_eq!((letters[0].offset, letters[1].offset), (0, 0));
}

//! The consumer: each record has its effect once, in order, or becomes a dead letter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use innkeeper_contracts::Event;
use innkeeper_contracts::event::EventSource;
use innkeeper_kit::store::DeadLetterKind;
use jiff::SignedDuration;

use crate::given::{
    RETENTION, Service, TOPIC, counted, dead_letters, event, outcomes, poison, record, record_of,
};
use crate::log::Failing;
use crate::reactor::{Scripted, UNWANTED, away, failed};

/// How often a record fails in passing.
const TRIES: usize = 3;

#[tokio::test]
async fn a_record_that_fails_for_good_becomes_a_dead_letter_and_later_ones_go_on() {
    let service = Service::new().await;
    let bad = record("kim-1");
    service.append(vec![bad.clone(), record("kim-2")]).await;
    let reactor = Scripted::new(|name, _| (name != "kim-1").then_some(()).ok_or_else(failed));

    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| !done.is_empty()).await;
    let metrics = consuming.stop().await;

    assert_eq!(reactor.all_done(), ["kim-2"]);
    assert!(reactor.tries_of("kim-1") > 2);
    let letters = dead_letters(&service).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    let letter = &letters[0];
    assert_eq!((letter.topic.as_str(), letter.offset), (TOPIC, 0));
    assert_eq!(letter.key.as_ref(), Some(&bad.key));
    assert_eq!(
        (&letter.headers, &letter.payload),
        (&bad.headers, &bad.payload)
    );
    assert!(letter.error.contains("on purpose"), "{}", letter.error);
    assert_eq!(letter.kind, DeadLetterKind::Failed);
    assert_eq!(letter.tries as usize, reactor.tries_of("kim-1"));
    assert_eq!(letter.event_id, Some(bad.id));
    let seen = service.store().load_seen(vec![letter.id]).await;
    assert_eq!(seen.unwrap(), [letter.id]);
    assert_eq!(
        (
            outcomes(&metrics, "dead-letter"),
            outcomes(&metrics, "effect")
        ),
        (1, 1)
    );
}

#[tokio::test]
async fn a_record_that_fails_now_and_then_is_tried_until_it_has_its_effect() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let reactor = Scripted::new(|_, before| (before >= TRIES).then_some(()).ok_or_else(failed));

    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| !done.is_empty()).await;
    consuming.stop().await;

    assert_eq!(reactor.tries_of("kim-1"), TRIES + 1);
    assert_eq!(dead_letters(&service).await, []);
}

#[tokio::test]
async fn a_record_that_fails_delays_only_its_saga() {
    let service = Service::new().await;
    let open = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&open);
    let reactor = Scripted::new(move |name, _| {
        let fails = name == "kim-1" && !seen.load(Ordering::SeqCst);
        (!fails).then_some(()).ok_or_else(away)
    });
    service.append(vec![record("kim-1"), record("lee-1")]).await;
    let consuming = service.consume(reactor.clone());
    reactor
        .until_done(|done| done.contains(&"lee-1".to_owned()))
        .await;

    // A later delivery is read on, and a saga that waits keeps its order.
    service.append(vec![record("kim-2"), record("lee-2")]).await;
    reactor
        .until_done(|done| done.contains(&"lee-2".to_owned()))
        .await;
    assert_eq!(reactor.all_done(), ["lee-1", "lee-2"]);
    open.store(true, Ordering::SeqCst);
    reactor.until_done(|done| done.len() == 4).await;
    consuming.stop().await;

    assert_eq!(reactor.all_done()[2..], ["kim-1", "kim-2"]);
}

#[tokio::test]
async fn what_waits_behind_records_that_fail_leaves_room_for_other_sagas() {
    let service = Service::new().await;
    let stuck = (0..600).flat_map(|saga| (1..=3).map(move |event| format!("stuck{saga}-{event}")));
    service
        .append(stuck.map(|name| record(&name)).collect())
        .await;
    service.append(vec![record("lee-1")]).await;

    let reactor = Scripted::new(|name, _| name.starts_with("lee").then_some(()).ok_or_else(away));
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| done == &["lee-1"]).await;
    consuming.stop().await;
}

#[tokio::test]
async fn what_is_behind_a_record_that_is_not_done_is_delivered_again() {
    let service = Service::new().await;
    let names = ["lee-1", "kim-1", "lee-2"];
    service.append(names.map(record).to_vec()).await;
    let reactor = Scripted::new(|name, _| (name != "kim-1").then_some(()).ok_or_else(away));
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| done.len() == 2).await;
    consuming.stop().await;

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| done.len() == 2).await;
    consuming.stop().await;

    let mut again = reactor.all_done();
    again.sort();
    assert_eq!(
        again,
        ["kim-1", "lee-2"],
        "the first one was done, and before all others"
    );
}

#[tokio::test]
async fn records_without_an_effect_are_passed_over_and_do_not_move_what_is_done() {
    let service = Service::new().await;
    let unwanted = || {
        record_of(&Event {
            event_type: UNWANTED,
            ..event("nobody-1")
        })
    };
    let mut records = vec![record("kim-1")];
    records.extend((0..2_000).map(|_| unwanted()));
    records.push(record("lee-1"));
    service.append(records).await;

    let reactor = Scripted::new(|name, _| (name != "kim-1").then_some(()).ok_or_else(away));
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| done == &["lee-1"]).await;
    let metrics = consuming.stop().await;
    assert_eq!(outcomes(&metrics, "none"), 2_000);

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor
        .until_done(|done| done.iter().any(|name| name == "kim-1"))
        .await;
    consuming.stop().await;
}

#[tokio::test]
async fn a_store_that_is_away_is_waited_for_and_costs_no_try() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let reactor = Scripted::new(|_, before| (before >= TRIES).then_some(()).ok_or_else(away));

    let consuming = service.consume(reactor.clone());
    reactor.until_tried(|tried| tried.len() > TRIES).await;
    consuming.stop().await;

    assert_eq!(reactor.all_done(), ["kim-1"]);
    assert_eq!(dead_letters(&service).await, []);
}

#[tokio::test]
async fn a_record_that_cannot_be_decoded_becomes_a_dead_letter_once() {
    let service = Service::new().await;
    let mut broken = record("lee-1");
    broken.payload = b"{".to_vec();
    let records = vec![poison("nobody"), broken, record("kim-1")];
    service.append(records).await;

    for group in ["pay", "pay, which sees all of it again"] {
        let reactor = Scripted::willing();
        let consuming = service.consume_from(service.log.for_group(group), reactor.clone());
        reactor.until_done(|done| !done.is_empty()).await;
        let metrics = consuming.stop().await;
        assert_eq!(reactor.all_done(), ["kim-1"]);
        assert_eq!(outcomes(&metrics, "dead-letter"), 2);
    }

    let errors: Vec<String> = dead_letters(&service)
        .await
        .into_iter()
        .map(|letter| letter.error)
        .collect();
    assert_eq!(errors.len(), 2, "{errors:?}");
    for error in ["header ce_type is missing", "data cannot be read"] {
        assert!(errors.iter().any(|said| said.contains(error)), "{errors:?}");
    }
}

#[tokio::test]
async fn a_key_with_nul_is_kept_in_a_dead_letter() {
    let service = Service::new().await;
    service.append(vec![poison("a\0b"), record("kim-1")]).await;

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| !done.is_empty()).await;
    consuming.stop().await;

    let letters = dead_letters(&service).await;
    assert_eq!(letters.len(), 1, "{letters:?}");
    assert_eq!(letters[0].key.as_deref(), Some("a\u{fffd}b"));
}

#[tokio::test]
async fn a_saga_keeps_its_order_and_holds_no_other_one() {
    let service = Service::new().await;
    let names = ["kim-1", "kim-2", "lee-1", "kim-3", "lee-2"];
    service.append(names.map(record).to_vec()).await;
    let open = Arc::new(AtomicBool::new(false));
    let seen = Arc::clone(&open);
    let reactor = Scripted::new(move |name, _| {
        let held = name == "kim-1" && !seen.load(Ordering::SeqCst);
        (!held).then_some(()).ok_or_else(away)
    });

    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| done.len() == 2).await;
    assert_eq!(
        reactor.all_done(),
        ["lee-1", "lee-2"],
        "kim waits, lee does not"
    );
    open.store(true, Ordering::SeqCst);
    reactor.until_done(|done| done.len() == names.len()).await;
    consuming.stop().await;

    assert_eq!(reactor.all_done()[2..], ["kim-1", "kim-2", "kim-3"]);
}

/// An event of another incarnation, made from one of this incarnation.
fn of_another_incarnation(name: &str, change: impl Fn(&mut EventSource)) -> Event {
    let mut event = event(name);
    change(&mut event.source);
    event
}

#[tokio::test]
async fn an_event_of_another_incarnation_has_no_effect() {
    let service = Service::new().await;
    let strangers = [
        of_another_incarnation("kim-1", |source| source.incarnation = 2),
        of_another_incarnation("kim-2", |source| source.platform = "market".to_owned()),
        of_another_incarnation("kim-3", |source| source.namespace = "elsewhere".to_owned()),
    ];
    let mut records: Vec<_> = strangers.iter().map(record_of).collect();
    records.push(record("kim-4"));
    service.append(records).await;

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor
        .until_done(|done| done.contains(&"kim-4".to_owned()))
        .await;
    let metrics = consuming.stop().await;

    assert_eq!(reactor.all_done(), ["kim-4"]);
    assert_eq!(
        (outcomes(&metrics, "none"), outcomes(&metrics, "effect")),
        (3, 1)
    );
}

#[tokio::test]
async fn an_event_of_an_unwanted_type_has_no_effect_whatever_its_payload_is() {
    let service = Service::new().await;
    let mut unwanted = event("kim-1");
    unwanted.event_type = UNWANTED;
    let mut strange = record_of(&of_another_incarnation("kim-2", |source| {
        source.incarnation = 2;
    }));
    strange.payload = b"no JSON".to_vec();
    let records = vec![record_of(&unwanted), strange, record("kim-3")];
    service.append(records).await;

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor
        .until_done(|done| done.contains(&"kim-3".to_owned()))
        .await;
    let metrics = consuming.stop().await;

    assert_eq!(reactor.all_done(), ["kim-3"]);
    assert_eq!(outcomes(&metrics, "none"), 2);
    assert_eq!(dead_letters(&service).await, []);
}

#[tokio::test]
async fn what_retention_overtook_is_counted() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| !done.is_empty()).await;
    consuming.stop().await;
    service
        .append(["kim-2", "kim-3", "kim-4"].map(record).to_vec())
        .await;
    service
        .clock
        .advance(RETENTION + SignedDuration::from_secs(1));
    service.append(vec![record("kim-5")]).await;

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| !done.is_empty()).await;
    let metrics = consuming.stop().await;

    assert_eq!(reactor.all_done(), ["kim-5"]);
    let overtaken = counted(&metrics, "innkeeper_events_overtaken_total", None);
    assert_eq!(overtaken, 3);
}

#[tokio::test]
async fn what_a_stop_left_undone_is_delivered_again() {
    let service = Service::new().await;
    service.append(vec![record("kim-1"), record("lee-1")]).await;
    let reactor = Scripted::new(|name, _| (name != "lee-1").then_some(()).ok_or_else(away));
    let consuming = service.consume(reactor.clone());
    reactor.until_tried(|tried| tried.len() > 2).await;
    consuming.stop().await;
    assert_eq!(reactor.all_done(), ["kim-1"]);

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor
        .until_done(|done| done.contains(&"lee-1".to_owned()))
        .await;
    consuming.stop().await;
}

#[tokio::test]
async fn what_was_begun_at_a_stop_is_finished_and_not_delivered_again() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let reactor = Scripted::gated();
    let consuming = service.consume(reactor.clone());
    reactor.until_tried(|tried| !tried.is_empty()).await;
    tokio::join!(consuming.stop(), async {
        // The consumer is told to stop while the record is being handled.
        tokio::task::yield_now().await;
        reactor.gate.add_permits(1);
    });
    assert_eq!(reactor.all_done(), ["kim-1"]);
    service.append(vec![record("kim-2")]).await;

    let reactor = Scripted::willing();
    let consuming = service.consume(reactor.clone());
    reactor.until_done(|done| !done.is_empty()).await;
    consuming.stop().await;
    assert_eq!(reactor.all_done(), ["kim-2"]);
}

#[tokio::test]
async fn what_is_done_is_not_delivered_again() {
    let service = Service::new().await;
    service.append(vec![record("kim-1"), record("lee-1")]).await;
    for expected in [vec!["kim-1", "lee-1"], vec!["kim-2"]] {
        let reactor = Scripted::willing();
        let consuming = service.consume(reactor.clone());
        reactor
            .until_done(|done| done.len() >= expected.len())
            .await;
        consuming.stop().await;
        assert_eq!(reactor.all_done(), expected);
        service.append(vec![record("kim-2")]).await;
    }
}

#[tokio::test]
async fn a_log_that_is_away_is_asked_again_and_start_up_ends_with_the_first_assignment() {
    let service = Service::new().await;
    service.append(vec![record("kim-1")]).await;
    let log = Failing::times(
        2,
        service.log.for_group("pay"),
        Arc::clone(&service.context.store),
    );

    let reactor = Scripted::willing();
    let consuming = service.consume_from(log, reactor.clone());
    assert!(!consuming.health.startup().ok);
    reactor.until_done(|done| !done.is_empty()).await;
    assert!(consuming.health.startup().ok);
    consuming.stop().await;
}

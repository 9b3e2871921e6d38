use futures::FutureExt;
use innkeeper_kit::store::{OutboxEvent, Refusal, Store};
use innkeeper_testkit::patience::in_time;

use crate::given::{
    ALMOST_A_MINUTE, HOUR, MINUTE, Refused, SECOND, Write, event, full_write, new_uuid, row, save,
    stored_events, unpublished, write_of,
};
use crate::suite::Fixture;

pub async fn events_of_a_saga_come_by_version_whatever_their_sequence(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let (first, second, third) = (event(saga, 1), event(saga, 2), event(saga, 3));
    for written in [&third, &first, &second] {
        stored_events(&*store, std::slice::from_ref(written)).await;
    }

    let alone = store.load_unpublished(None, 1).await.unwrap();
    let all = store.load_unpublished(None, 10).await.unwrap();

    assert_eq!(all, [first, second, third]);
    assert_eq!(alone, all[..1]);
}

pub async fn events_of_one_write_keep_their_order(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let mut events: Vec<_> = (0..20).map(|_| event(saga, 1)).collect();
    events.reverse();

    stored_events(&*store, &events).await;

    assert_eq!(store.load_unpublished(None, 100).await.unwrap(), events);
}

pub async fn pages_go_on_after_a_saga(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let sagas = [new_uuid(), new_uuid(), new_uuid()];
    let events: Vec<_> = sagas
        .iter()
        .flat_map(|saga| [event(*saga, 1), event(*saga, 2)])
        .collect();
    stored_events(&*store, &events).await;

    let page = store.load_unpublished(Some(sagas[0]), 3).await.unwrap();
    let last = store.load_unpublished(Some(sagas[2]), 3).await.unwrap();

    assert_eq!(page, events[2..5]);
    assert_eq!(last, []);
}

/// Parks the first of two events of a saga, beside an event of another one.
async fn parked(store: &dyn Store) -> [OutboxEvent; 3] {
    let saga = new_uuid();
    let events = [event(saga, 1), event(saga, 2), event(new_uuid(), 1)];
    stored_events(store, &events).await;
    let refusal = Refusal {
        event_id: events[0].id,
        reason: "too large".to_owned(),
    };
    store.park(vec![refusal]).await.unwrap();
    events
}

pub async fn a_parked_event_holds_its_saga_until_it_is_replayed(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let [refused, later, other] = parked(&*store).await;

    assert_eq!(unpublished(&*store).await, [other.id]);
    assert_eq!(store.count_parked().await.unwrap(), 1);
    let listed = store.list_parked(10).await.unwrap();
    assert_eq!(listed.len(), 1, "{listed:?}");
    assert_eq!(
        (&listed[0].event, &*listed[0].reason),
        (&refused, "too large")
    );
    assert!(!store.replay_parked(later.id).await.unwrap());

    store.wait_for_outbox_change().await;
    assert!(store.replay_parked(refused.id).await.unwrap());

    let woken = store.wait_for_outbox_change().now_or_never();
    assert!(woken.is_some(), "the relay is woken");
    let all = [refused.id, later.id, other.id];
    assert_eq!(unpublished(&*store).await, all);
    assert_eq!(store.count_parked().await.unwrap(), 0);
    assert!(!store.replay_parked(refused.id).await.unwrap());
}

pub async fn a_parked_event_that_is_discarded_is_gone_and_its_saga_goes_on(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let [refused, later, other] = parked(&*store).await;

    assert!(!store.discard_parked(later.id).await.unwrap());
    assert!(store.discard_parked(refused.id).await.unwrap());

    assert_eq!(unpublished(&*store).await, [later.id, other.id]);
    assert_eq!(store.list_parked(10).await.unwrap(), []);
    assert!(!store.discard_parked(refused.id).await.unwrap());
}

pub async fn an_event_that_another_relay_published_is_not_parked(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let [refused, later, other] = parked(&*store).await;
    let published = vec![refused.id, other.id];
    store.delete_published(published).await.unwrap();
    let late = Refusal {
        event_id: other.id,
        reason: "too large".to_owned(),
    };
    store.park(vec![late]).await.unwrap();

    assert_eq!(unpublished(&*store).await, [later.id]);
    assert_eq!(store.count_parked().await.unwrap(), 0);
    assert_eq!(store.prune(HOUR).await.unwrap(), 1, "what parked it");
}

pub async fn published_events_do_not_come_again(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let events = [event(new_uuid(), 1), event(new_uuid(), 1)];
    stored_events(&*store, &events).await;
    let published = vec![events[0].id, new_uuid()];

    store.delete_published(published.clone()).await.unwrap();
    store.delete_published(published).await.unwrap();

    assert_eq!(unpublished(&*store).await, [events[1].id]);
}

pub async fn a_write_with_events_wakes_the_relay(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let waiting = in_time("the relay is woken", store.wait_for_outbox_change());
    let events = [event(new_uuid(), 1)];

    futures::join!(waiting, stored_events(&*store, &events));

    stored_events(&*store, &[event(new_uuid(), 1)]).await;
    let since_last = store.wait_for_outbox_change().now_or_never();
    assert!(since_last.is_some(), "a write before the call counts");
}

pub async fn writes_without_effect_on_the_outbox_do_not_wake_the_relay(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    save(&*store, write_of(row(new_uuid(), 1))).await.unwrap();
    let refused = full_write(new_uuid(), 1, 1);

    let outcome = save(&*store, refused).await;

    assert!(matches!(outcome, Err(Refused::Conflict)), "{outcome:?}");
    assert!(store.wait_for_outbox_change().now_or_never().is_none());
}

pub async fn of_two_relays_one_has_the_lease(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (one, other) = (new_uuid(), new_uuid());

    let taken = futures::join!(
        store.take_relay_lease(one, MINUTE),
        store.take_relay_lease(other, MINUTE)
    );
    let taken = (taken.0.unwrap(), taken.1.unwrap());
    assert!(taken.0 != taken.1, "{taken:?}");
    let (holder, waiter) = if taken.0 { (one, other) } else { (other, one) };

    fixture.pass_time(ALMOST_A_MINUTE).await;
    assert!(store.take_relay_lease(holder, MINUTE).await.unwrap());
    fixture.pass_time(ALMOST_A_MINUTE).await;
    assert!(!store.take_relay_lease(waiter, MINUTE).await.unwrap());
    store.release_relay_lease(holder).await.unwrap();
    assert!(store.take_relay_lease(waiter, MINUTE).await.unwrap());
}

pub async fn a_relay_that_lost_its_lease_while_sending_neither_gets_nor_frees_it(
    fixture: &dyn Fixture,
) {
    let store = fixture.open().await;
    let (slow, quick, third) = (new_uuid(), new_uuid(), new_uuid());
    let saga = new_uuid();
    stored_events(&*store, &[event(saga, 1)]).await;
    assert!(store.take_relay_lease(slow, MINUTE).await.unwrap());
    let sending = unpublished(&*store).await;

    fixture.pass_time(MINUTE + SECOND).await;
    assert!(store.take_relay_lease(quick, MINUTE).await.unwrap());
    let later = event(saga, 2);
    let write = Write {
        events: vec![later.clone()],
        ..Write::default()
    };
    save(&*store, write).await.unwrap();

    assert!(!store.take_relay_lease(slow, MINUTE).await.unwrap());
    store.delete_published(sending).await.unwrap();
    store.release_relay_lease(slow).await.unwrap();
    assert!(!store.take_relay_lease(third, MINUTE).await.unwrap());
    assert!(store.take_relay_lease(quick, MINUTE).await.unwrap());
    assert_eq!(unpublished(&*store).await, [later.id]);
}

use futures::future::join_all;
use innkeeper_kit::store::{Query, Store, StoreError};

use crate::given::{
    Refused, assert_messages_of, full_write, new_uuid, row, save, stored_row, write_of,
};
use crate::suite::Fixture;

pub async fn an_open_store_answers_a_ping(fixture: &dyn Fixture) {
    fixture.open().await.ping().await.unwrap();
}

pub async fn a_reopened_store_has_everything(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let write = full_write(saga, 1, 0);
    save(&*store, write.clone()).await.unwrap();
    let before = store.load(saga).await.unwrap();
    store.close().await;

    let store = fixture.open().await;

    assert_eq!(store.load(saga).await.unwrap(), before);
    assert_messages_of(&write, true, fixture, &*store).await;
}

pub async fn ids_start_at_one_and_grow(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for expected in 1..=3 {
        let saga = stored_row(&*store).await;
        assert_eq!(store.load(saga).await.unwrap().unwrap().id, Some(expected));
    }
}

pub async fn ids_go_on_after_a_reopen(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    stored_row(&*store).await;
    stored_row(&*store).await;
    store.close().await;

    let store = fixture.open().await;

    let saga = stored_row(&*store).await;
    assert!(store.load(saga).await.unwrap().unwrap().id > Some(2));
}

pub async fn a_closed_store_refuses_work(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    store.close().await;
    store.close().await;

    let written = save(&*store, write_of(row(new_uuid(), 1))).await;
    let refused = matches!(written, Err(Refused::Store(StoreError::Closed)));
    assert!(refused, "{written:?}");
    let loaded = store.load(new_uuid()).await;
    assert!(matches!(loaded, Err(StoreError::Closed)), "{loaded:?}");
    assert!(matches!(store.ping().await, Err(StoreError::Closed)));
}

pub async fn closing_finishes_what_was_accepted(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let writes = (1..=100).map(|id| save(&*store, write_of(row(new_uuid(), id))));

    let (outcomes, ()) = futures::join!(join_all(writes), close_soon(&*store));

    let written = outcomes.iter().filter(|outcome| outcome.is_ok()).count();
    for outcome in &outcomes {
        let closed = matches!(outcome, Err(Refused::Store(StoreError::Closed)));
        assert!(outcome.is_ok() || closed, "{outcome:?}");
    }
    let store = fixture.open().await;
    assert_eq!(
        store.list(Query::page(0, 1_000)).await.unwrap().len(),
        written
    );
}

async fn close_soon(store: &dyn Store) {
    tokio::task::yield_now().await;
    store.close().await;
}

use futures::StreamExt;
use futures::stream;

use crate::given::{
    HOUR, MINUTE, SECOND, Write, assert_messages_of, begin_key, dead_letters, event, full_write,
    new_uuid, save, settle_key, stored_events, stored_row, tombstone, write_of,
};
use crate::suite::Fixture;

pub async fn pruning_takes_what_is_old_and_no_longer_needed(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = new_uuid();
    let mut write = full_write(saga, 1, 0);
    write.key = Some(begin_key(saga));
    save(&*store, write.clone()).await.unwrap();
    let settled = Write {
        key: Some(settle_key(saga, 201)),
        ..Write::default()
    };
    save(&*store, settled).await.unwrap();
    let ended = new_uuid();
    save(&*store, write_of(tombstone(ended))).await.unwrap();
    fixture.pass_time(HOUR + SECOND).await;

    let deleted = store.prune(HOUR).await.unwrap();

    assert_eq!(deleted, 3, "inbox row, key and tombstone");
    assert_eq!(store.load(ended).await.unwrap(), None);
    assert!(store.load(saga).await.unwrap().is_some());
    assert_eq!(dead_letters(&*store).await.len(), 1);
    (write.dead_letter, write.events) = (None, Vec::new());
    assert_messages_of(&write, false, fixture, &*store).await;
}

pub async fn what_is_young_or_still_needed_is_spared(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let saga = stored_row(&*store).await;
    let old = full_write(new_uuid(), 2, 0);
    save(&*store, old.clone()).await.unwrap();
    let (published, ended) = (event(saga, 1), new_uuid());
    stored_events(&*store, std::slice::from_ref(&published)).await;
    fixture.pass_time(HOUR).await;
    let young = full_write(new_uuid(), 3, 0);
    save(&*store, young.clone()).await.unwrap();
    store.delete_published(vec![published.id]).await.unwrap();
    save(&*store, write_of(tombstone(ended))).await.unwrap();
    fixture.pass_time(MINUTE).await;

    let deleted = store.prune(HOUR).await.unwrap();

    assert_eq!(deleted, 1, "only the old inbox row");
    assert_messages_of(&young, true, fixture, &*store).await;
    let (inbox, dead_letter) = (None, None);
    let old = Write {
        inbox,
        dead_letter,
        ..old
    };
    assert_messages_of(&old, true, fixture, &*store).await;
    assert!(store.load(ended).await.unwrap().is_some());
    assert!(store.load(saga).await.unwrap().is_some());
}

pub async fn pruning_deletes_more_than_one_batch(fixture: &dyn Fixture) {
    const ENDED: u32 = 1_200;
    let store = fixture.open().await;
    let writes = (0..ENDED).map(|_| save(&*store, write_of(tombstone(new_uuid()))));
    let mut writing = stream::iter(writes).buffer_unordered(8);
    while let Some(written) = writing.next().await {
        written.unwrap();
    }
    fixture.pass_time(HOUR + SECOND).await;

    assert_eq!(store.prune(HOUR).await.unwrap(), u64::from(ENDED));
    assert_eq!(store.prune(HOUR).await.unwrap(), 0);
}

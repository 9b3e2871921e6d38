use innkeeper_kit::store::{ClaimChange, Query, Row};

use crate::given::{AGGREGATE, MINUTE, new_uuid, row, save, stored_row, tombstone, write_of};
use crate::suite::Fixture;

pub async fn a_row_is_read_as_it_was_written(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let (saga, owner) = (new_uuid(), new_uuid());
    let mut written = row(saga, 5);
    written.claim = ClaimChange::Take {
        owner,
        hold_for: MINUTE,
    };
    save(&*store, write_of(written.clone())).await.unwrap();

    let read = store.load(saga).await.unwrap().unwrap();

    let claim = read.claim.clone().unwrap();
    assert!(claim.owner == owner && claim.live);
    let expected = Row {
        row_id: saga,
        correlation_id: saga,
        aggregate: AGGREGATE.to_owned(),
        id: Some(5),
        version: 1,
        state: written.state,
        clock: 1,
        body: written.body,
        claim: Some(claim),
        created_at: read.created_at,
        owner: None,
        second_key: None,
        parent: None,
    };
    assert_eq!(read, expected);
    assert_eq!(store.load_by_id(5).await.unwrap(), Some(expected));
}

pub async fn a_row_that_is_not_there_is_not_found(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    assert_eq!(store.load(new_uuid()).await.unwrap(), None);
    assert_eq!(store.load_by_id(1).await.unwrap(), None);
}

pub async fn a_page_lists_rows_by_id_without_tombstones(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for _ in 0..3 {
        stored_row(&*store).await;
        save(&*store, write_of(tombstone(new_uuid())))
            .await
            .unwrap();
    }
    let ids = async |after, limit| {
        let page = store.list(Query::page(after, limit)).await.unwrap();
        page.iter().map(|row| row.id).collect::<Vec<_>>()
    };

    assert_eq!(ids(0, 10).await, [Some(1), Some(2), Some(3)]);
    assert_eq!(ids(0, 2).await, [Some(1), Some(2)]);
    assert_eq!(ids(2, 2).await, [Some(3)]);
    assert_eq!(ids(3, 2).await, []);
}

use futures::future::join_all;
use innkeeper_kit::store::Query;

use crate::given::{
    Refused, Write, assert_messages_of, dead_letter, dead_letters, full_write, new_uuid, save,
};
use crate::suite::Fixture;

pub async fn the_same_event_again_is_a_duplicate_without_effect(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let first = full_write(new_uuid(), 1, 0);
    save(&*store, first.clone()).await.unwrap();
    let saga = new_uuid();
    let mut again = full_write(saga, 2, 0);
    again.inbox = first.inbox;

    let outcome = save(&*store, again.clone()).await;

    assert!(matches!(outcome, Err(Refused::Duplicate)), "{outcome:?}");
    again.inbox = None;
    assert_messages_of(&again, false, fixture, &*store).await;
    assert_eq!(store.load(saga).await.unwrap(), None);
    let (known, unknown) = (first.inbox.unwrap(), new_uuid());
    let seen = store.load_seen(vec![unknown, known]).await.unwrap();
    assert_eq!(seen, [known]);
}

pub async fn an_event_handled_by_two_at_once_has_one_effect(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    for number in 0..20 {
        let event_id = new_uuid();
        let writes = [2 * number + 1, 2 * number + 2].map(|id| Write {
            inbox: Some(event_id),
            ..full_write(new_uuid(), id, 0)
        });

        let outcomes = join_all(writes.map(|write| save(&*store, write))).await;

        let duplicate = |outcome: &_| matches!(outcome, Err(Refused::Duplicate));
        assert_eq!(outcomes.iter().filter(|o| o.is_ok()).count(), 1);
        assert_eq!(outcomes.iter().filter(|o| duplicate(o)).count(), 1);
    }
    assert_eq!(store.list(Query::page(0, 100)).await.unwrap().len(), 20);
}

pub async fn a_dead_letter_and_its_inbox_row_are_one_write(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let buried = Write {
        inbox: Some(new_uuid()),
        dead_letter: Some(dead_letter("cannot be decoded: no JSON")),
        ..Write::default()
    };
    save(&*store, buried.clone()).await.unwrap();

    let outcome = save(&*store, buried.clone()).await;

    assert!(matches!(outcome, Err(Refused::Duplicate)), "{outcome:?}");
    assert_eq!(dead_letters(&*store).await, [buried.dead_letter.unwrap()]);
}

use innkeeper_kit::store::{DeadLetter, DeadLetterKind, DeadLetterQuery, FailedReplay};

use crate::given::{
    Write, dead_letter, dead_letters, full_write, new_uuid, save, stored_dead_letter,
};
use crate::suite::Fixture;

pub async fn dead_letters_come_oldest_first_in_pages_of_a_kind(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let mut written = Vec::new();
    for (reason, kind) in [
        ("c", DeadLetterKind::Unknown),
        ("a", DeadLetterKind::Failed),
        ("b", DeadLetterKind::Unknown),
    ] {
        let letter = DeadLetter {
            kind,
            ..dead_letter(reason)
        };
        let write = Write {
            dead_letter: Some(letter.clone()),
            ..Write::default()
        };
        save(&*store, write).await.unwrap();
        written.push(letter);
    }
    assert_eq!(dead_letters(&*store).await, written);

    let mut query = DeadLetterQuery {
        kind: Some(DeadLetterKind::Unknown),
        after: 0,
        limit: 1,
    };
    for expected in [&written[0], &written[2]] {
        let page = store.list_dead_letters(query).await.unwrap();
        assert_eq!(page.len(), 1);
        assert_eq!(&page[0].letter, expected);
        query.after = page[0].number;
    }
    assert_eq!(store.list_dead_letters(query).await.unwrap(), []);
    let mut counts = store.count_dead_letters().await.unwrap();
    counts.sort_by_key(|(_, count)| *count);
    assert_eq!(
        counts,
        [(DeadLetterKind::Failed, 1), (DeadLetterKind::Unknown, 2)]
    );
}

pub async fn a_dead_letter_is_found_by_its_id_and_keeps_its_latest_error(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let letter = stored_dead_letter(&*store, "the first error").await;
    let replay = FailedReplay {
        id: letter.id,
        kind: DeadLetterKind::Unknown,
        error: "the second error".to_owned(),
    };

    store.keep_dead_letter(replay).await.unwrap();

    let stored = store.load_dead_letter(letter.id).await.unwrap().unwrap();
    let expected = DeadLetter {
        kind: DeadLetterKind::Unknown,
        error: "the second error".to_owned(),
        tries: letter.tries + 1,
        ..letter
    };
    assert_eq!(stored.letter, expected);
    assert_eq!(store.load_dead_letter(new_uuid()).await.unwrap(), None);
}

pub async fn the_effect_of_an_event_and_the_end_of_its_dead_letter_are_one_write(
    fixture: &dyn Fixture,
) {
    let store = fixture.open().await;
    let letter = stored_dead_letter(&*store, "it failed").await;
    let other = stored_dead_letter(&*store, "another failed").await;
    let mut refused = full_write(new_uuid(), 1, 5);
    refused.inbox = letter.event_id;
    refused.dead_letter = None;
    save(&*store, refused).await.unwrap_err();
    assert_eq!(dead_letters(&*store).await, [letter.clone(), other.clone()]);

    let effect = Write {
        inbox: letter.event_id,
        dead_letter: None,
        ..full_write(new_uuid(), 1, 0)
    };
    save(&*store, effect).await.unwrap();

    assert_eq!(dead_letters(&*store).await, [other]);
}

pub async fn a_discarded_dead_letter_is_gone_and_its_event_has_no_effect_any_more(
    fixture: &dyn Fixture,
) {
    let store = fixture.open().await;
    let letter = stored_dead_letter(&*store, "it failed").await;
    let discard = Write {
        inbox: letter.event_id,
        discarded: Some(letter.id),
        ..Write::default()
    };
    save(&*store, discard).await.unwrap();

    assert_eq!(dead_letters(&*store).await, []);
    let event_id = letter.event_id.unwrap();
    let seen = store.load_seen(vec![event_id]).await.unwrap();
    assert_eq!(seen, [event_id]);
}

pub async fn the_same_dead_letter_again_is_stored_once(fixture: &dyn Fixture) {
    let store = fixture.open().await;
    let letter = stored_dead_letter(&*store, "it failed").await;
    let again = Write {
        dead_letter: Some(letter.clone()),
        ..Write::default()
    };
    save(&*store, again).await.unwrap();
    assert_eq!(dead_letters(&*store).await, [letter]);
}

//! What every log must do.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures::future::join_all;
use innkeeper_kit::log::{AppendError, Delivery, MAX_RECORD_BYTES};
use innkeeper_testkit::patience::{PATIENCE, in_time, until};
use tokio::sync::watch;

use crate::reader::{Reader, numbered, text, texts};
use crate::subject::{AppendAll, Subject, record, records};

pub async fn a_new_group_starts_at_the_earliest(subject: &dyn Subject) {
    let log = subject.log("first");
    log.append_all(records("a", 3)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    assert_eq!(texts(&reader.read(3).await), numbered("a", 0, 3));
    assert!(reader.assigned.iter().any(|partitions| *partitions > 0));
    assert_eq!(reader.overtaken, 0);
}

pub async fn groups_do_not_share_records(subject: &dyn Subject) {
    let (one, other) = (subject.log("one"), subject.log("other"));
    one.append_all(records("a", 3)).await.unwrap();
    let mut reader = Reader::join(&*one).await;
    let read = reader.read(3).await;
    reader.mark_done(&read).await;
    let mut reader = Reader::join(&*other).await;
    assert_eq!(texts(&reader.read(3).await), numbered("a", 0, 3));
}

pub async fn keys_keep_their_order_with_concurrent_appenders(subject: &dyn Subject) {
    const APPENDERS: usize = 4;
    const KEYS: usize = 6;
    const EACH: usize = 60;
    let log = subject.log("orders");
    let appenders = (0..APPENDERS).map(|appender| {
        let log = log.clone();
        async move {
            for start in (0..EACH).step_by(5) {
                let numbers = start..start + 5;
                let batch = numbers.flat_map(|number| {
                    (0..KEYS).map(move |key| record(&format!("{appender}-{key}"), number))
                });
                log.append_all(batch.collect()).await.unwrap();
            }
        }
    });
    let mut reader = Reader::join(&*log).await;
    let (_, read) = tokio::join!(join_all(appenders), reader.read(APPENDERS * KEYS * EACH));
    let mut by_key = BTreeMap::<String, Vec<String>>::new();
    for record in &read {
        let key = record.key.clone().expect("every record has a key");
        by_key.entry(key).or_default().push(text(record));
    }
    assert_eq!(by_key.len(), APPENDERS * KEYS);
    for (key, payloads) in by_key {
        assert_eq!(payloads, numbered(&key, 0, EACH));
    }
}

/// What two members have done together, in the order in which it happened.
type Effects = watch::Sender<Vec<String>>;

fn distinct(effects: &[String]) -> usize {
    effects.iter().collect::<BTreeSet<_>>().len()
}

async fn consume_until(mut reader: Reader, effects: &Effects, enough: usize) -> Reader {
    while distinct(&effects.borrow()) < enough {
        // The other member may be the one that completes it.
        let Ok(records) = tokio::time::timeout(Duration::from_millis(300), reader.next()).await
        else {
            continue;
        };
        effects.send_modify(|effects| effects.extend(texts(&records)));
        reader.mark_done(&records).await;
    }
    reader
}

pub async fn members_rebalance_under_traffic_without_loss(subject: &dyn Subject) {
    const KEYS: usize = 30;
    const ROUNDS: usize = 120;
    const ALL: usize = KEYS * ROUNDS;
    let log = subject.log("pair");
    let effects = Effects::new(Vec::new());
    let traffic = async {
        for round in 0..ROUNDS {
            let batch = (0..KEYS).map(|key| record(&format!("k{key}"), round));
            log.append_all(batch.collect()).await.unwrap();
            tokio::time::sleep(Duration::from_millis(15)).await;
        }
    };
    let first = async {
        let reader = Reader::join(&*log).await;
        consume_until(reader, &effects, ALL * 2 / 3)
            .await
            .close()
            .await;
    };
    let second = async {
        let mut progress = effects.subscribe();
        progress
            .wait_for(|effects| distinct(effects) > ALL / 4)
            .await
            .unwrap();
        let reader = Reader::join(&*subject.log("pair")).await;
        let reader = consume_until(reader, &effects, ALL).await;
        assert!(
            reader.assigned.iter().any(|partitions| *partitions > 0),
            "the second member took part"
        );
        reader.close().await;
    };
    let together = async { tokio::join!(traffic, first, second) };
    tokio::time::timeout(PATIENCE * 2, together)
        .await
        .expect("every record has its effect");

    let effects = effects.borrow().clone();
    assert_eq!(
        effects.len(),
        ALL,
        "what was done before a rebalance is not delivered after it"
    );
    for key in 0..KEYS {
        let prefix = format!("k{key}:");
        let of_key: Vec<_> = effects
            .iter()
            .filter(|effect| effect.starts_with(&prefix))
            .cloned()
            .collect();
        assert_eq!(of_key, numbered(&format!("k{key}"), 0, ROUNDS));
    }
    only_news_come(subject, "pair").await;
}

/// A new member of a group that has done everything sees only what is appended now.
async fn only_news_come(subject: &dyn Subject, group: &str) {
    let log = subject.log(group);
    let news: Vec<_> = (0..40)
        .map(|key| record(&format!("news{key}"), 0))
        .collect();
    log.append_all(news).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = texts(&reader.read(40).await);
    assert_eq!(read.len(), 40, "{read:?}");
    assert!(read.iter().all(|text| text.starts_with("news")), "{read:?}");
}

pub async fn a_death_between_effect_and_offset_redelivers(subject: &dyn Subject) {
    let log = subject.log("mortal");
    log.append_all(records("a", 10)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(10).await;
    reader.mark_done(&read[..4]).await;
    drop(reader);
    let mut heir = Reader::join(&*log).await;
    assert_eq!(texts(&heir.read(6).await), numbered("a", 4, 10));
}

pub async fn a_late_done_never_moves_the_group_back(subject: &dyn Subject) {
    let log = subject.log("late");
    log.append_all(records("a", 10)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(10).await;
    reader.mark_done(&read[5..8]).await;
    reader.mark_done(&read[..3]).await;
    reader.close().await;
    let mut heir = Reader::join(&*log).await;
    assert_eq!(texts(&heir.read(2).await), numbered("a", 8, 10));
}

pub async fn a_repeated_id_can_be_told(subject: &dyn Subject) {
    let log = subject.log("twins");
    let twin = record("a", 0);
    log.append_all(vec![twin.clone(), record("a", 1)])
        .await
        .unwrap();
    log.append_all(vec![twin.clone(), twin.clone(), record("a", 2)])
        .await
        .unwrap();
    let mut reader = Reader::join(&*log).await;
    let mut read = reader.read(3).await;
    while read.last().map(text) != Some("a:2".to_owned()) {
        read.extend(reader.next().await);
    }
    let twins = read.iter().filter(|record| text(record) == "a:0");
    let twins: Vec<_> = twins
        .inspect(|record| assert_eq!(record.content.headers(), twin.headers))
        .collect();
    assert_eq!(twins.len(), if subject.stores_ids_once() { 1 } else { 3 });
}

pub async fn a_poison_message_stops_nothing(subject: &dyn Subject) {
    let log = subject.log("poisoned");
    let poison = subject.append_poison().await;
    let healthy: Vec<_> = (0..40).map(|key| record(&format!("k{key}"), 0)).collect();
    log.append_all(healthy).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(40 + poison).await;
    let healthy = read.iter().filter(|record| text(record).ends_with(":0"));
    assert_eq!(healthy.count(), 40);
    reader.mark_done(&read).await;
    reader.close().await;
    only_news_come(subject, "poisoned").await;
}

pub async fn what_retention_overtook_is_counted(subject: &dyn Subject) {
    let log = subject.log("slow");
    log.append_all(records("a", 10)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(10).await;
    reader.mark_done(&read[..3]).await;
    reader.close().await;
    subject.retire().await;
    log.append_all(vec![record("a", 10), record("a", 11)])
        .await
        .unwrap();
    let mut reader = Reader::join(&*log).await;
    assert_eq!(texts(&reader.read(2).await), numbered("a", 10, 12));
    assert_eq!(reader.overtaken, 7);
    log.append_all(vec![record("a", 12)]).await.unwrap();
    assert_eq!(texts(&reader.read(1).await), ["a:12"]);
    assert_eq!(reader.overtaken, 7, "what is lost is told once");
}

pub async fn next_is_safe_to_drop(subject: &dyn Subject) {
    const COUNT: usize = 400;
    let log = subject.log("hasty");
    let mut reader = Reader::join(&*log).await;
    reader.settle().await;
    let appending = async {
        for number in 0..COUNT {
            log.append_all(vec![record("a", number)]).await.unwrap();
        }
    };
    let reading = async {
        let mut read = Vec::new();
        while read.len() < COUNT {
            let hasty =
                tokio::time::timeout(Duration::from_micros(200), reader.subscription.next());
            match hasty.await {
                Ok(Ok(Delivery::Records(records))) => read.extend(texts(&records)),
                Ok(Ok(other)) => panic!("{other:?}"),
                Ok(Err(error)) => panic!("{error}"),
                Err(_) => {}
            }
        }
        read
    };
    let both = async { tokio::join!(appending, reading) };
    let ((), read) = in_time("every record", both).await;
    assert_eq!(read, numbered("a", 0, COUNT));
}

pub async fn close_commits_what_is_done(subject: &dyn Subject) {
    let log = subject.log("tidy");
    let batch = (0..40).map(|key| record(&format!("k{key}"), 0));
    log.append_all(batch.collect()).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(40).await;
    reader.mark_done(&read).await;
    reader.close().await;
    only_news_come(subject, "tidy").await;
}

pub async fn lag_counts_what_is_not_done(subject: &dyn Subject) {
    let log = subject.log("behind");
    log.append_all(records("a", 10)).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(10).await;
    lag_becomes(&mut reader, 10).await;
    reader.mark_done(&read[..4]).await;
    lag_becomes(&mut reader, 6).await;
    reader.mark_done(&read[4..]).await;
    lag_becomes(&mut reader, 0).await;
}

async fn lag_becomes(reader: &mut Reader, expected: i64) {
    until(&format!("a lag of {expected}"), async || {
        let lag = reader.subscription.lag().await;
        if lag == Some(expected) {
            return Ok(());
        }
        // The statistics for the lag only arrive while the member waits.
        let nothing =
            tokio::time::timeout(Duration::from_millis(50), reader.subscription.next()).await;
        assert!(
            matches!(nothing, Err(_) | Ok(Ok(Delivery::Assigned { .. }))),
            "{nothing:?}"
        );
        Err(format!("{lag:?}"))
    })
    .await;
}

pub async fn a_log_that_works_answers_a_ping(subject: &dyn Subject) {
    subject.log("pinging").ping().await.unwrap();
}

pub async fn members_without_partitions_are_told_and_take_over(subject: &dyn Subject) {
    let log = subject.log("queue");
    let mut first = Reader::join(&*log).await;
    first.settle().await;
    let mut second = Reader::join(&*subject.log("queue")).await;
    let told = second.first_assignment(&mut first).await;
    assert_eq!(told, 0, "the first assignment comes, though it is empty");
    first.close().await;
    second.settle().await;
    log.append_all(records("a", 1)).await.unwrap();
    assert_eq!(texts(&second.read(1).await), ["a:0"]);
}

pub async fn a_large_append_is_taken_whole(subject: &dyn Subject) {
    const KEYS: usize = 100;
    const EACH: usize = 120;
    let log = subject.log("bulk");
    let keys: Vec<String> = (0..KEYS).map(|key| format!("k{key}")).collect();
    let all = (0..EACH).flat_map(|number| keys.iter().map(move |key| record(key, number)));
    log.append_all(all.collect()).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let read = reader.read(KEYS * EACH).await;
    for key in &keys {
        let of_key: Vec<_> = read
            .iter()
            .filter(|record| record.key.as_ref() == Some(key))
            .cloned()
            .collect();
        assert_eq!(texts(&of_key), numbered(key, 0, EACH));
    }
}

pub async fn a_record_that_is_refused_stops_only_the_later_ones_of_its_key(subject: &dyn Subject) {
    let log = subject.log("sizes");
    let mut too_large = record("a", 1);
    too_large.payload = vec![b'x'; MAX_RECORD_BYTES];
    let before = (0..40).map(|key| record(&format!("before{key}"), 0));
    let after = (0..40).map(|key| record(&format!("after{key}"), 0));
    let records = before.chain([record("a", 0), too_large, record("a", 2)]);
    let mut results = log.append_each(records.chain(after).collect()).await;

    let of_a: Vec<_> = results.drain(40..43).collect();
    assert!(
        matches!(
            of_a[..],
            [
                Ok(()),
                Err(AppendError::Refused(_)),
                Err(AppendError::BehindAnother)
            ]
        ),
        "{of_a:?}"
    );
    assert!(results.iter().all(Result::is_ok), "{results:?}");
    log.append_all(vec![record("a", 3)]).await.unwrap();
    let mut reader = Reader::join(&*log).await;
    let mut read = texts(&reader.read(82).await);
    read.retain(|text| text.starts_with("a:"));
    assert_eq!(read, ["a:0", "a:3"]);
}

//! The log on librdkafka's mock broker, which a test can take down and bring back.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use futures::{FutureExt, StreamExt};
use innkeeper_broker::KafkaLog;
use innkeeper_contracts::settings;
use innkeeper_kit::log::{AppendError, Delivery, Log, LogError, NewRecord};
use innkeeper_testkit::patience::in_time;
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::reader::{Reader, texts};
use crate::subject::{AppendAll, record};

const BROKER: i32 = 1;

fn cluster(brokers: i32) -> (MockCluster<'static, DefaultProducerContext>, KafkaLog) {
    let cluster = MockCluster::new(brokers).unwrap();
    cluster.create_topic("rentcar", 2, 1).unwrap();
    for partition in [0, 1] {
        cluster
            .partition_leader("rentcar", partition, Some(BROKER))
            .unwrap();
    }
    cluster
        .coordinator(MockCoordinator::Group("g".to_owned()), BROKER)
        .unwrap();
    let log = connect(&cluster);
    (cluster, log)
}

fn connect(cluster: &MockCluster<'_, DefaultProducerContext>) -> KafkaLog {
    let settings = settings::Kafka {
        bootstrap_servers: cluster.bootstrap_servers(),
        topic: "rentcar".to_owned(),
        group: "g".to_owned(),
        tls: None,
        sasl: None,
    };
    KafkaLog::connect(&settings).unwrap()
}

/// One record for each of so many keys, `k0` and so on.
fn one_for_each_key(keys: usize) -> Vec<NewRecord> {
    (0..keys).map(|key| record(&format!("k{key}"), 0)).collect()
}

async fn next_error(reader: &mut Reader) -> LogError {
    let error = async {
        loop {
            match reader.subscription.next().await {
                Err(error) => return error,
                Ok(Delivery::Assigned { .. }) => {}
                Ok(unexpected) => panic!("{unexpected:?}"),
            }
        }
    };
    in_time("a lost broker is told", error).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumption_resumes_after_the_broker_was_lost() {
    let (cluster, log) = cluster(1);
    log.append_all(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let read = reader.read(1).await;
    reader.mark_done(&read).await;

    cluster.broker_down(BROKER).unwrap();
    assert!(matches!(
        next_error(&mut reader).await,
        LogError::Unavailable(_)
    ));
    let asked = Instant::now();
    assert!(matches!(log.ping().await, Err(LogError::Unavailable(_))));
    assert!(
        asked.elapsed() < Duration::from_secs(3),
        "a ping does not wait for long"
    );

    cluster.broker_up(BROKER).unwrap();
    let appended = async {
        log.append_all(vec![record("a", 1)]).await.unwrap();
        loop {
            match reader.subscription.next().await {
                Ok(Delivery::Records(records)) => return records,
                Ok(_) | Err(LogError::Unavailable(_)) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    let records = in_time("consumption resumes", appended).await;
    assert_eq!(texts(&records), ["a:1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_without_a_broker_says_so_in_time() {
    let (cluster, log) = cluster(1);
    log.append_all(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let read = reader.read(1).await;
    cluster.broker_down(BROKER).unwrap();
    next_error(&mut reader).await;
    reader.mark_done(&read).await;
    let closed = in_time("a close ends", reader.subscription.close()).await;
    assert!(
        matches!(closed, Err(LogError::Unavailable(_))),
        "{closed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loss_of_one_broker_of_several_is_no_error() {
    let (cluster, log) = cluster(2);
    cluster.partition_leader("rentcar", 1, Some(2)).unwrap();
    let mut reader = Reader::join(&log).await;
    let keys = ["a", "b", "c", "d", "e", "f"].map(|key| record(key, 0));
    log.append_all(keys.to_vec()).await.unwrap();
    let read = reader.read(6).await;
    let lives = read.iter().find(|record| record.partition == 0).unwrap();
    let key = lives.key.clone().unwrap();
    cluster.broker_down(2).unwrap();
    for number in 1..30 {
        log.append_all(vec![record(&key, number)]).await.unwrap();
        assert_eq!(texts(&reader.read(1).await), [format!("{key}:{number}")]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_waits_for_room_in_the_queue() {
    let (cluster, log) = cluster(1);
    log.append_all(vec![record("a", 0)]).await.unwrap();
    cluster.broker_down(BROKER).unwrap();
    let broker_returns = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        cluster.broker_up(BROKER).unwrap();
    };
    let (appended, ()) = tokio::join!(log.append_all(one_for_each_key(10_500)), broker_returns);
    appended.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_could_not_commit_says_so() {
    let (cluster, log) = cluster(1);
    log.append_all(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let read = reader.read(1).await;
    reader.mark_done(&read).await;
    let refusals = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED; 10];
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refusals);
    let closed = reader.subscription.close().await;
    assert!(
        matches!(closed, Err(LogError::Unavailable(_))),
        "{closed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_commit_that_a_rebalance_refused_is_tried_again() {
    let (cluster, log) = cluster(1);
    log.append_all(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let read = reader.read(1).await;
    reader.mark_done(&read).await;
    let refusal = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS];
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refusal);
    reader.close().await;
    log.append_all(vec![record("a", 1)]).await.unwrap();
    let mut heir = Reader::join(&log).await;
    assert_eq!(texts(&heir.read(1).await), ["a:1"]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_whose_broker_is_away_holds_up_no_record_of_another_one() {
    const KEYS: usize = 20;
    let (cluster, log) = cluster(2);
    cluster.partition_leader("rentcar", 1, Some(2)).unwrap();
    log.append_all(one_for_each_key(KEYS)).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let there = reader.read(KEYS).await;
    let reachable = there.iter().filter(|record| record.partition == 0);
    let reachable: BTreeSet<String> = reachable.filter_map(|record| record.key.clone()).collect();
    assert!((1..KEYS).contains(&reachable.len()), "{reachable:?}");

    cluster.broker_down(2).unwrap();
    let records = one_for_each_key(KEYS);
    let key_of = |index: usize| records[index].key.clone();
    let mut appending = log.append(records.clone());
    let mut appended = BTreeSet::new();
    while appended.len() < reachable.len() {
        let (index, result) = in_time("a record", appending.next()).await.unwrap();
        result.unwrap();
        appended.insert(key_of(index));
    }
    assert_eq!(appended, reachable);
    assert!(appending.next().now_or_never().is_none(), "the rest waits");

    cluster.broker_up(2).unwrap();
    let rest: Vec<_> = in_time("the rest", appending.collect()).await;
    assert_eq!(rest.len(), KEYS - reachable.len());
    assert!(rest.iter().all(|(_, result)| result.is_ok()), "{rest:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_works_again_after_the_producer_had_a_fatal_error() {
    let (cluster, _) = cluster(1);
    let refusal = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED];
    cluster.request_errors(RDKafkaApiKey::InitProducerId, &refusal);
    let log = connect(&cluster);
    let failed = in_time("an answer", log.append_all(vec![record("a", 0)])).await;
    assert!(
        matches!(failed, Err(AppendError::NotNow(LogError::Unavailable(_)))),
        "{failed:?}"
    );
    in_time("a new producer", log.append_all(vec![record("a", 0)]))
        .await
        .unwrap();
}

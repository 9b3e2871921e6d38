//! The log on librdkafka's mock broker, which a test can take down and bring back.

use std::time::{Duration, Instant};

use innkeeper_broker::KafkaLog;
use innkeeper_contracts::settings;
use innkeeper_kit::log::{Delivery, Log, LogError};
use innkeeper_testkit::patience::in_time;
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::DefaultProducerContext;
use rdkafka::types::{RDKafkaApiKey, RDKafkaRespErr};

use crate::reader::{Reader, texts};
use crate::subject::{record, records};

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
    let settings = settings::Kafka {
        bootstrap_servers: cluster.bootstrap_servers(),
        topic: "rentcar".to_owned(),
        group: "g".to_owned(),
    };
    (cluster, KafkaLog::connect(&settings).unwrap())
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
    log.append(vec![record("a", 0)]).await.unwrap();
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
        log.append(vec![record("a", 1)]).await.unwrap();
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
    log.append(vec![record("a", 0)]).await.unwrap();
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
    log.append(keys.to_vec()).await.unwrap();
    let read = reader.read(6).await;
    let lives = read.iter().find(|record| record.partition == 0).unwrap();
    let key = lives.key.clone().unwrap();
    cluster.broker_down(2).unwrap();
    for number in 1..30 {
        log.append(vec![record(&key, number)]).await.unwrap();
        assert_eq!(texts(&reader.read(1).await), [format!("{key}:{number}")]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_append_waits_for_room_in_the_queue() {
    let (cluster, log) = cluster(1);
    log.append(vec![record("a", 0)]).await.unwrap();
    cluster.broker_down(BROKER).unwrap();
    let broker_returns = async {
        tokio::time::sleep(Duration::from_secs(3)).await;
        cluster.broker_up(BROKER).unwrap();
    };
    let (appended, ()) = tokio::join!(log.append(records("a", 10_500)), broker_returns);
    appended.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_that_could_not_commit_says_so() {
    let (cluster, log) = cluster(1);
    log.append(vec![record("a", 0)]).await.unwrap();
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
    log.append(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let read = reader.read(1).await;
    reader.mark_done(&read).await;
    let refusal = [RDKafkaRespErr::RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS];
    cluster.request_errors(RDKafkaApiKey::OffsetCommit, &refusal);
    reader.close().await;
    log.append(vec![record("a", 1)]).await.unwrap();
    let mut heir = Reader::join(&log).await;
    assert_eq!(texts(&heir.read(1).await), ["a:1"]);
}

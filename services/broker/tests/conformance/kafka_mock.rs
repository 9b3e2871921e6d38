//! The log on the broker that librdkafka brings for tests, which can be taken away and given back.

use std::time::{Duration, Instant};

use innkeeper_broker::KafkaLog;
use innkeeper_contracts::settings;
use innkeeper_kit::log::{Delivery, Log, LogError};
use rdkafka::mocking::{MockCluster, MockCoordinator};
use rdkafka::producer::DefaultProducerContext;

use crate::reader::{DEADLINE, Reader, texts};
use crate::subject::record;

const BROKER: i32 = 1;

fn cluster(brokers: i32) -> (MockCluster<'static, DefaultProducerContext>, KafkaLog) {
    let cluster = MockCluster::new(brokers).unwrap();
    cluster.create_topic("rentcar", 1, 1).unwrap();
    cluster
        .partition_leader("rentcar", 0, Some(BROKER))
        .unwrap();
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
    tokio::time::timeout(DEADLINE, error)
        .await
        .expect("a lost broker is told")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn consumption_resumes_after_the_broker_was_lost() {
    let (cluster, log) = cluster(1);
    log.append(vec![record("a", 0)]).await.unwrap();
    let mut reader = Reader::join(&log).await;
    let read = reader.read(1).await;
    reader.done(&read).await;

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
    let records = tokio::time::timeout(DEADLINE, appended)
        .await
        .expect("consumption resumes");
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
    reader.done(&read).await;
    let closed = tokio::time::timeout(DEADLINE, reader.subscription.close()).await;
    let closed = closed.expect("a close ends");
    assert!(
        matches!(closed, Err(LogError::Unavailable(_))),
        "{closed:?}"
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_loss_of_one_broker_of_several_is_no_error() {
    let (cluster, log) = cluster(3);
    let mut reader = Reader::join(&log).await;
    log.append(vec![record("a", 0)]).await.unwrap();
    reader.read(1).await;
    for other in [2, 3] {
        cluster.broker_down(other).unwrap();
    }
    for number in 1..30 {
        log.append(vec![record("a", number)]).await.unwrap();
        assert_eq!(texts(&reader.read(1).await), [format!("a:{number}")]);
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

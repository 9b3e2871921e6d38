//! The log on a topic of a real Kafka.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_broker::KafkaLog;
use innkeeper_contracts::settings::{self, KafkaCluster};
use innkeeper_kafka::client_config;
use innkeeper_kit::log::{AppendError, Delivery, Log, LogError, NewRecord, Partition, Record};
use innkeeper_testkit::kafka::{Admin, bootstrap_servers, create_topic, delete_topic, unique_name};
use innkeeper_testkit::patience::{PATIENCE, in_time, until};
use rdkafka::admin::{AdminOptions, NewPartitions, NewTopic, TopicReplication};
use rdkafka::message::{Header, OwnedHeaders};
use rdkafka::producer::{FutureProducer, FutureRecord, Producer};
use rdkafka::{ClientConfig, Offset, TopicPartitionList};
use uuid::Uuid;

use crate::reader::{Reader, numbered, text, texts};
use crate::subject::{AppendAll, Subject, check, record, records};
use crate::{cases, conformance};

const PARTITIONS: i32 = 12;

struct Kafka {
    topic: String,
    partitions: i32,
    admin: Admin,
}

fn client() -> ClientConfig {
    client_config(&KafkaCluster::plain(bootstrap_servers()), "conformance").unwrap()
}

/// A topic for a single test, which keeps records whatever their timestamp says.
async fn topic_of(partitions: i32) -> Kafka {
    topic_with(partitions, &[]).await
}

/// The same with further settings.
async fn topic_with(partitions: i32, config: &[(&str, &str)]) -> Kafka {
    let kafka = Kafka {
        topic: unique_name("conformance"),
        partitions,
        admin: client().create().unwrap(),
    };
    let topic = NewTopic::new(&kafka.topic, partitions, TopicReplication::Fixed(1))
        .set("retention.ms", "-1");
    let topic = config
        .iter()
        .fold(topic, |topic, (name, value)| topic.set(name, value));
    create_topic(&kafka.admin, &topic).await;
    until("the topic is there", async || {
        let asked = kafka.log("waiting").ping().await;
        asked.map_err(|error| format!("{error:?}"))
    })
    .await;
    kafka
}

async fn kafka() -> Box<dyn Subject> {
    Box::new(topic_of(PARTITIONS).await)
}

impl Kafka {
    fn settings(&self, group: &str) -> settings::Kafka {
        settings::Kafka {
            bootstrap_servers: bootstrap_servers(),
            topic: self.topic.clone(),
            group: format!("{}-{group}", self.topic),
            tls: None,
            sasl: None,
        }
    }

    async fn produce_nonsense(&self) {
        let producer: FutureProducer = client().create().unwrap();
        let headers = OwnedHeaders::new();
        let headers = headers.insert(Header {
            key: "no text",
            value: Some(&[0xff_u8, 0xfe]),
        });
        let headers = headers.insert(Header::<&[u8]> {
            key: "no value",
            value: None,
        });
        let nonsense = [
            FutureRecord::<[u8], [u8]>::to(&self.topic)
                .partition(0)
                .payload(&[0xff, 0x00][..]),
            FutureRecord::to(&self.topic)
                .partition(0)
                .key(&[0xfe][..])
                .headers(headers),
            FutureRecord::to(&self.topic)
                .partition(0)
                .key(&b"tombstone"[..]),
        ];
        for record in nonsense {
            producer.send(record, PATIENCE).await.unwrap();
        }
    }

    /// Writes a record with a header name that is not UTF-8, which client libraries cannot do.
    fn produce_broken_header(&self) {
        let mut request = Vec::new();
        // API key 0 (produce), version 3, a correlation id, no client id.
        request.extend([0, 0, 0, 3, 0, 0, 0, 1, 0xff, 0xff]);
        // No transaction, acks -1, a timeout of 30 s, one topic.
        request.extend([0xff, 0xff, 0xff, 0xff, 0, 0, 0x75, 0x30, 0, 0, 0, 1]);
        request.extend(u16::try_from(self.topic.len()).unwrap().to_be_bytes());
        request.extend(self.topic.as_bytes());
        // One partition, number 0.
        request.extend([0, 0, 0, 1, 0, 0, 0, 0]);
        request.extend(u32::try_from(BROKEN_BATCH.len()).unwrap().to_be_bytes());
        request.extend(BROKEN_BATCH);
        let mut broker = TcpStream::connect(bootstrap_servers()).unwrap();
        broker
            .write_all(&u32::try_from(request.len()).unwrap().to_be_bytes())
            .unwrap();
        broker.write_all(&request).unwrap();
        let mut answer = [0; 4];
        broker.read_exact(&mut answer).unwrap();
        let mut answer = vec![0; u32::from_be_bytes(answer) as usize];
        broker.read_exact(&mut answer).unwrap();
        // Correlation id, one topic, its name, one partition, its number.
        let error = 4 + 4 + 2 + self.topic.len() + 4 + 4;
        assert_eq!(
            answer[error..error + 2],
            [0, 0],
            "the broker takes the record"
        );
    }
}

/// A record batch (magic 2, with its CRC-32C) of one record: value `poison`, header name `ff fe`.
const BROKEN_BATCH: &[u8] =
    b"\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x43\x00\x00\x00\x00\x02\x07\x3b\xcc\x70\
    \x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\
    \xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x01\
    \x22\x00\x00\x00\x01\x0c\x70\x6f\x69\x73\x6f\x6e\x02\x04\xff\xfe\x02\x78";

#[async_trait]
impl Subject for Kafka {
    fn log(&self, group: &str) -> Arc<dyn Log> {
        Arc::new(KafkaLog::connect(&self.settings(group)).unwrap())
    }

    fn stores_ids_once(&self) -> bool {
        false
    }

    async fn append_poison(&self) -> usize {
        self.produce_nonsense().await;
        self.produce_broken_header();
        4
    }

    async fn retire(&self) {
        let mut all = TopicPartitionList::new();
        for partition in 0..self.partitions {
            all.add_partition_offset(&self.topic, partition, Offset::End)
                .unwrap();
        }
        let deleted = self
            .admin
            .delete_records(&all, &AdminOptions::new())
            .await
            .unwrap();
        for partition in deleted.elements() {
            partition.error().unwrap();
        }
    }

    async fn take_down(self: Box<Self>) {
        delete_topic(&self.admin, &self.topic).await;
    }
}

conformance!(kafka().await);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn members_without_partitions_are_told_and_take_over() {
    let subject = Box::new(topic_of(1).await);
    check(subject, async |subject| {
        cases::members_without_partitions_are_told_and_take_over(subject).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_the_broker_refuses_does_not_take_its_batch_with_it() {
    const MAX_MESSAGE_BYTES: usize = 2_000;
    let config = [
        ("max.message.bytes", "2000"),
        ("compression.type", "producer"),
    ];
    let subject = Box::new(topic_with(1, &config).await);
    check(subject, async |subject| {
        let log = subject.log("small");
        let mut records = one_for_each_of_60_keys("k");
        // Bytes that cannot be compressed.
        let hash = |number: usize| Uuid::new_v5(&Uuid::NAMESPACE_OID, &number.to_be_bytes());
        let hashes = (0..MAX_MESSAGE_BYTES).flat_map(|number| *hash(number).as_bytes());
        records[30].payload = hashes.take(MAX_MESSAGE_BYTES).collect();
        let mut results = log.append_each(records).await;

        let too_large = results.remove(30);
        assert!(
            matches!(too_large, Err(AppendError::Refused(_))),
            "{too_large:?}"
        );
        assert!(results.iter().all(Result::is_ok), "{results:?}");
        let mut reader = Reader::join(&*log).await;
        let read = texts(&reader.read(59).await);
        assert!(!read.contains(&"k30:0".to_owned()), "{read:?}");
        log.append_all(vec![record("k30", 1)]).await.unwrap();
        assert_eq!(texts(&reader.read(1).await), ["k30:1"]);
    })
    .await;
}

/// Waits until a member holds this many partitions while the other member continues; returns the
/// deliveries of both.
async fn holds(reader: &mut Reader, other: &mut Reader, partitions: usize) -> Vec<Arc<Record>> {
    let mut read = Vec::new();
    let both = async {
        while reader.assigned.last() != Some(&partitions) {
            let (delivery, assigned) = tokio::select! {
                delivery = reader.subscription.next() => (delivery, &mut reader.assigned),
                delivery = other.subscription.next() => (delivery, &mut other.assigned),
            };
            match delivery.unwrap() {
                Delivery::Assigned { partitions } => assigned.push(partitions),
                Delivery::Records(records) => read.extend(records),
                other @ (Delivery::Overtaken { .. } | Delivery::Expired) => panic!("{other:?}"),
            }
        }
    };
    in_time("the partitions are shared", both).await;
    read
}

fn one_for_each_of_60_keys(prefix: &str) -> Vec<NewRecord> {
    let keys = (0..60).map(|key| format!("{prefix}{key}"));
    keys.map(|key| record(&key, 0)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn done_for_partitions_that_were_taken_away_is_no_error() {
    check(kafka().await, async |subject| {
        let log = subject.log("shared");
        log.append_all(one_for_each_of_60_keys("k")).await.unwrap();
        let mut first = Reader::join(&*log).await;
        let read = first.read(60).await;
        let mut second = Reader::join(&*log).await;
        holds(&mut second, &mut first, 6).await;
        assert_eq!(first.assigned.last(), Some(&6), "it is told what it lost");
        assert!(!first.assigned.contains(&0), "it keeps what need not move");
        first.mark_done(&read).await;
        second.close().await;
        first.close().await;
        let mut heir = Reader::join(&*log).await;
        heir.read(1).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_close_during_a_rebalance_commits_what_is_done() {
    check(kafka().await, async |subject| {
        for round in 0..3 {
            let log = subject.log(&format!("round{round}"));
            let (old, new) = (format!("old{round}-"), format!("new{round}-"));
            log.append_all(one_for_each_of_60_keys(&old)).await.unwrap();
            let mut first = Reader::join(&*log).await;
            let read = first.read(60 * (2 * round + 1)).await;
            let mut second = Reader::join(&*log).await;
            let mut inherited = holds(&mut first, &mut second, 6).await;
            first.mark_done(&read).await;
            first.close().await;
            log.append_all(one_for_each_of_60_keys(&new)).await.unwrap();
            let is_new = |record: &&Arc<Record>| text(record).starts_with(&new);
            while inherited.iter().filter(is_new).count() < 60 {
                inherited.extend(second.next().await);
            }
            let redelivered = inherited
                .iter()
                .filter(|record| text(record).starts_with(&old));
            let partitions: BTreeSet<_> = redelivered.map(|record| record.partition).collect();
            assert!(
                partitions.len() <= 6,
                "what the first kept and did is not delivered again: {partitions:?}"
            );
        }
    })
    .await;
}

/// The offset after the last one of the first partition.
fn end_offset(producer: &FutureProducer, topic: &str) -> i64 {
    let watermarks = producer.client().fetch_watermarks(topic, 0, PATIENCE);
    watermarks.unwrap().1
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_partition_that_is_missing_from_the_log_is_not_overtaken() {
    let subject = Box::new(topic_of(1).await);
    let topic = subject.topic.clone();
    check(subject, async |subject| {
        let log = subject.log("gaps");
        log.append_all(records("a", 2)).await.unwrap();
        let mut reader = Reader::join(&*log).await;
        reader.read(2).await;
        // The end of a transaction takes an offset of its own.
        let producer: FutureProducer = client().set("transactional.id", &topic).create().unwrap();
        let name = topic.clone();
        let producer = tokio::task::spawn_blocking(move || {
            producer.init_transactions(PATIENCE).unwrap();
            producer.begin_transaction().unwrap();
            let sent = producer.send_result(FutureRecord::<[u8], [u8]>::to(&name).payload(b"a:2"));
            sent.map_err(|(error, _)| error).unwrap();
            producer.commit_transaction(PATIENCE).unwrap();
            producer
        })
        .await
        .unwrap();
        // The broker writes the end of a transaction after it has confirmed it.
        until("the end of the transaction", async || {
            match end_offset(&producer, &topic) {
                4.. => Ok(()),
                end => Err(format!("the log ends at {end}")),
            }
        })
        .await;
        log.append_all(vec![record("a", 3)]).await.unwrap();
        let read = reader.read(2).await;
        assert_eq!(texts(&read), numbered("a", 2, 4));
        assert_eq!(read[1].offset, 4, "there is a gap");
        assert_eq!(reader.overtaken, 0);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_is_in_the_partition_that_is_told_for_its_key() {
    check(kafka().await, async |subject| {
        let log = subject.log("partitions");
        assert_eq!(log.partition_of("k1"), Partition::ONLY, "nobody has looked");
        log.ping().await.unwrap();
        assert_eq!(log.partition_of("k1").count, PARTITIONS);
        log.append_all(one_for_each_of_60_keys("k")).await.unwrap();
        let mut reader = Reader::join(&*log).await;
        for record in reader.read(60).await {
            let told = log.partition_of(record.key.as_deref().unwrap());
            assert_eq!((told.number, told.count), (record.partition, PARTITIONS));
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partitions_that_were_added_are_found() {
    let kafka = topic_of(1).await;
    let admin: Admin = client().create().unwrap();
    let topic = kafka.topic.clone();
    check(Box::new(kafka), async |subject| {
        let log = subject.log("growing");
        let mut reader = Reader::join(&*log).await;
        reader.settle().await;
        let grown = NewPartitions::new(&topic, 3);
        admin
            .create_partitions(&[grown], &AdminOptions::new())
            .await
            .unwrap();
        let found = async {
            while reader.assigned.last() != Some(&3) {
                if let Delivery::Assigned { partitions } = reader.subscription.next().await.unwrap()
                {
                    reader.assigned.push(partitions);
                }
            }
        };
        in_time("new partitions are consumed", found).await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_topic_that_does_not_exist_is_named() {
    let missing = settings::Kafka {
        bootstrap_servers: bootstrap_servers(),
        topic: "conformance-missing".to_owned(),
        group: "g".to_owned(),
        tls: None,
        sasl: None,
    };
    let log = KafkaLog::connect(&missing).unwrap();
    let is_named = |error: Option<LogError>| matches!(error, Some(LogError::NoTopic { topic }) if topic == missing.topic);
    assert!(is_named(log.ping().await.err()));
    assert!(is_named(log.subscribe().await.err()));
    let append = in_time("an answer", log.append_all(vec![record("a", 0)])).await;
    assert!(is_named(append.err().and_then(|error| match error {
        AppendError::NotNow(error) => Some(error),
        AppendError::Refused(_) | AppendError::BehindAnother => None,
    })));
}

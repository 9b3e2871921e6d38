//! Kafka's admin API, as far as a topic needs it. Every call has a deadline and is counted.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigEntry, ConfigSource, NewPartitions, NewTopic,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::client::DefaultClientContext;
use rdkafka::error::KafkaError as ClientError;
use rdkafka::types::RDKafkaErrorCode;

use crate::metrics::Metrics;

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A call of the admin API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    DescribeConfigs,
    Metadata,
    CreateTopics,
    CreatePartitions,
    AlterConfigs,
    DeleteTopics,
}

impl Call {
    /// Every call there is.
    pub(crate) const ALL: [Self; 6] = [
        Self::DescribeConfigs,
        Self::Metadata,
        Self::CreateTopics,
        Self::CreatePartitions,
        Self::AlterConfigs,
        Self::DeleteTopics,
    ];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DescribeConfigs => "describe_configs",
            Self::Metadata => "metadata",
            Self::CreateTopics => "create_topics",
            Self::CreatePartitions => "create_partitions",
            Self::AlterConfigs => "alter_configs",
            Self::DeleteTopics => "delete_topics",
        }
    }
}

/// A call that did not succeed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaError {
    /// No broker answered.
    #[error("no broker at {brokers} answers")]
    Unreachable {
        /// Where brokers were expected.
        brokers: String,
        /// What the client says.
        source: ClientError,
    },
    /// A broker refused the call.
    #[error("Kafka refuses {call}: {code}")]
    Refused {
        /// The call.
        call: &'static str,
        /// Why.
        code: RDKafkaErrorCode,
    },
}

impl KafkaError {
    /// What lies behind it, which its own words leave out.
    pub(crate) fn cause(&self) -> Option<String> {
        std::error::Error::source(self).map(ToString::to_string)
    }
}

/// A topic as the brokers have it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct ObservedTopic {
    /// Its partitions.
    pub partitions: u32,
    /// The replicas of each partition.
    pub replication: u32,
    /// The settings that are its own, and not the brokers' default.
    pub config: BTreeMap<String, String>,
}

/// Clients of the admin API, one for each set of brokers.
#[derive(Default)]
pub(crate) struct Brokers {
    clients: Mutex<HashMap<String, Arc<AdminClient<DefaultClientContext>>>>,
}

impl Brokers {
    /// The topics of a set of brokers.
    pub(crate) fn topics<'a>(
        &self,
        bootstrap_servers: &'a str,
        metrics: &'a Metrics,
    ) -> Result<Topics<'a>, KafkaError> {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let client = if let Some(client) = clients.get(bootstrap_servers) {
            Arc::clone(client)
        } else {
            let client = Arc::new(client(bootstrap_servers)?);
            clients.insert(bootstrap_servers.to_owned(), Arc::clone(&client));
            client
        };
        Ok(Topics {
            brokers: bootstrap_servers,
            client,
            metrics,
        })
    }
}

fn client(brokers: &str) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
    ClientConfig::new()
        .set("bootstrap.servers", brokers)
        .set("client.id", "innkeeper-operator")
        .create()
        .map_err(|source| KafkaError::Unreachable {
            brokers: brokers.to_owned(),
            source,
        })
}

/// The topics of a set of brokers.
pub(crate) struct Topics<'a> {
    brokers: &'a str,
    client: Arc<AdminClient<DefaultClientContext>>,
    metrics: &'a Metrics,
}

impl Topics<'_> {
    /// A topic as the brokers have it; `None` when there is none.
    ///
    /// Its settings are asked for first: asking for the metadata of a topic that does not exist may create it.
    pub(crate) async fn fetch(&self, name: &str) -> Result<Option<ObservedTopic>, KafkaError> {
        let Some(config) = self.fetch_config(name).await? else {
            return Ok(None);
        };
        let Some((partitions, replication)) = self.fetch_size(name).await? else {
            return Ok(None);
        };
        Ok(Some(ObservedTopic {
            partitions,
            replication,
            config,
        }))
    }

    async fn fetch_config(
        &self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, KafkaError> {
        let topic = [ResourceSpecifier::Topic(name)];
        let answer = self.client.describe_configs(&topic, &options()).await;
        let result = first(answer.map(|results| {
            results
                .into_iter()
                .map(|result| result.map(|resource| own_settings(resource.entries)))
                .collect()
        }));
        self.judge_missing(Call::DescribeConfigs, result)
    }

    async fn fetch_size(&self, name: &str) -> Result<Option<(u32, u32)>, KafkaError> {
        let client = Arc::clone(&self.client);
        let topic = name.to_owned();
        // The client offers this call only in a form that blocks.
        let answer = tokio::task::spawn_blocking(move || {
            let metadata = client.inner().fetch_metadata(Some(&topic), DEADLINE)?;
            let size = metadata.topics().first().map(size);
            Ok(size.unwrap_or(Err(RDKafkaErrorCode::UnknownTopicOrPartition)))
        });
        let answer = answer
            .await
            .unwrap_or(Err(ClientError::Canceled))
            .map(|result| vec![result]);
        self.judge_missing(Call::Metadata, first(answer))
    }

    /// Creates a topic; one that another broker knows already is created.
    pub(crate) async fn create(
        &self,
        name: &str,
        partitions: u32,
        replication: Option<u32>,
        config: &BTreeMap<String, String>,
    ) -> Result<(), KafkaError> {
        // -1 stands for the brokers' default.
        let replication = replication.map_or(-1, u32::cast_signed);
        let replication = TopicReplication::Fixed(replication);
        let mut topic = NewTopic::new(name, partitions.cast_signed(), replication);
        for (key, value) in config {
            topic = topic.set(key, value);
        }
        let answer = self.client.create_topics([&topic], &options()).await;
        there_already(self.judge(Call::CreateTopics, first(answer.map(without_names))))
    }

    /// Gives a topic more partitions.
    pub(crate) async fn grow(&self, name: &str, partitions: u32) -> Result<(), KafkaError> {
        let count = usize::try_from(partitions).unwrap_or(usize::MAX);
        let grown = NewPartitions::new(name, count);
        let answer = self.client.create_partitions([&grown], &options()).await;
        self.judge(Call::CreatePartitions, first(answer.map(without_names)))
    }

    /// Gives a topic exactly these settings. The call replaces them all, so the set must be complete.
    pub(crate) async fn configure(
        &self,
        name: &str,
        config: &BTreeMap<String, String>,
    ) -> Result<(), KafkaError> {
        let mut settings = AlterConfig::new(ResourceSpecifier::Topic(name));
        for (key, value) in config {
            settings = settings.set(key, value);
        }
        let answer = self.client.alter_configs([&settings], &options()).await;
        let result = first(answer.map(|results| {
            results
                .into_iter()
                .map(|result| result.map(|_| ()).map_err(|(_, code)| code))
                .collect()
        }));
        self.judge(Call::AlterConfigs, result)
    }

    /// Deletes a topic with all its records; one that is not there is deleted already.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), KafkaError> {
        let answer = self.client.delete_topics(&[name], &options()).await;
        self.judge_missing(Call::DeleteTopics, first(answer.map(without_names)))
            .map(|_| ())
    }

    /// What an answer means, where a topic that is missing is an answer as well.
    fn judge_missing<T>(
        &self,
        call: Call,
        result: Result<Result<T, RDKafkaErrorCode>, ClientError>,
    ) -> Result<Option<T>, KafkaError> {
        match result {
            Ok(Err(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {
                self.metrics.called(call, true);
                Ok(None)
            }
            other => self.judge(call, other).map(Some),
        }
    }

    fn judge<T>(
        &self,
        call: Call,
        result: Result<Result<T, RDKafkaErrorCode>, ClientError>,
    ) -> Result<T, KafkaError> {
        self.metrics.called(call, matches!(result, Ok(Ok(_))));
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(code)) if !is_outage(code) => Err(KafkaError::Refused {
                call: call.name(),
                code,
            }),
            Ok(Err(code)) => Err(self.unreachable(ClientError::AdminOp(code))),
            Err(source) => Err(self.unreachable(source)),
        }
    }

    fn unreachable(&self, source: ClientError) -> KafkaError {
        KafkaError::Unreachable {
            brokers: self.brokers.to_owned(),
            source,
        }
    }
}

/// Whether the next look finds it as it should be is for that look to say.
fn there_already(created: Result<(), KafkaError>) -> Result<(), KafkaError> {
    match created {
        Err(KafkaError::Refused {
            code: RDKafkaErrorCode::TopicAlreadyExists,
            ..
        }) => Ok(()),
        other => other,
    }
}

fn options() -> AdminOptions {
    AdminOptions::new()
        .request_timeout(Some(DEADLINE))
        .operation_timeout(Some(DEADLINE))
}

/// One call is about one topic: its result is the first.
fn first<T>(
    answer: Result<Vec<Result<T, RDKafkaErrorCode>>, ClientError>,
) -> Result<Result<T, RDKafkaErrorCode>, ClientError> {
    answer?.pop().ok_or(ClientError::Canceled)
}

fn without_names(
    results: Vec<Result<String, (String, RDKafkaErrorCode)>>,
) -> Vec<Result<(), RDKafkaErrorCode>> {
    results
        .into_iter()
        .map(|result| result.map(|_| ()).map_err(|(_, code)| code))
        .collect()
}

fn own_settings(entries: Vec<ConfigEntry>) -> BTreeMap<String, String> {
    entries
        .into_iter()
        .filter(|entry| entry.source == ConfigSource::DynamicTopic)
        .map(|entry| (entry.name, entry.value.unwrap_or_default()))
        .collect()
}

fn size(topic: &rdkafka::metadata::MetadataTopic) -> Result<(u32, u32), RDKafkaErrorCode> {
    if let Some(error) = topic.error() {
        return Err(RDKafkaErrorCode::from(error));
    }
    let partitions = topic.partitions();
    let replicas = partitions.first().map_or(0, |it| it.replicas().len());
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    Ok((count(partitions.len()), count(replicas)))
}

/// Whether a code speaks of brokers that are not there, or not yet, rather than of the call.
const fn is_outage(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::OperationTimedOut
            | RDKafkaErrorCode::RequestTimedOut
            | RDKafkaErrorCode::Resolve
            | RDKafkaErrorCode::NotController
            | RDKafkaErrorCode::LeaderNotAvailable
            | RDKafkaErrorCode::NetworkException
            | RDKafkaErrorCode::BrokerNotAvailable
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_there_already_is_created() {
        let metrics = Metrics::registered().unwrap();
        let brokers = Brokers::default();
        let topics = brokers.topics("localhost:9", &metrics).unwrap();
        let created = |code| there_already(topics.judge(Call::CreateTopics, Ok(Err(code))));
        assert!(created(RDKafkaErrorCode::TopicAlreadyExists).is_ok());
        assert!(created(RDKafkaErrorCode::PolicyViolation).is_err());
    }
}

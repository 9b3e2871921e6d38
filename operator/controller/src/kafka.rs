//! The part of Kafka's admin API that topics need. Every call has a deadline and is counted.

mod error;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use innkeeper_kafka::{Description, TopicDescription, client_config, describe_topics};
use innkeeper_plan::topic::{ObservedTopic, TopicLookup};
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigEntry, ConfigSource, NewPartitions, NewTopic,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::error::KafkaError as ClientError;
use rdkafka::types::RDKafkaErrorCode;

use crate::kafka_call::AdminCall;
use crate::metrics::Metrics;
pub(crate) use error::KafkaError;
use error::is_outage;

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// A topic as the brokers describe it, with the settings that are not defaults.
pub(crate) fn observed(
    described: TopicDescription,
    config: BTreeMap<String, String>,
) -> ObservedTopic {
    let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
    ObservedTopic {
        id: described.topic_id,
        partitions: count(described.partitions),
        replication: count(described.replication),
        config,
    }
}

/// Clients of the admin API, one for each set of brokers.
pub(crate) struct Brokers {
    clients: Mutex<HashMap<String, Arc<AdminClient<DefaultClientContext>>>>,
    deadline: Duration,
}

impl Default for Brokers {
    fn default() -> Self {
        Self::answering_within(DEADLINE)
    }
}

impl Brokers {
    /// Brokers of which no call takes longer than this.
    pub(crate) fn answering_within(deadline: Duration) -> Self {
        Self {
            clients: Mutex::default(),
            deadline,
        }
    }

    /// The admin API of a set of brokers, for topics.
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
            deadline: self.deadline,
        })
    }
}

fn client(brokers: &str) -> Result<AdminClient<DefaultClientContext>, KafkaError> {
    client_config(brokers, "innkeeper-operator")
        .create()
        .map_err(|source| KafkaError::Unreachable {
            brokers: brokers.to_owned(),
            source,
        })
}

/// The admin API of a set of brokers, for topics.
pub(crate) struct Topics<'a> {
    brokers: &'a str,
    client: Arc<AdminClient<DefaultClientContext>>,
    metrics: &'a Metrics,
    deadline: Duration,
}

impl Topics<'_> {
    /// Fetches what the brokers have under a name.
    pub(crate) async fn fetch(&self, name: &str) -> Result<TopicLookup, KafkaError> {
        let Description {
            cluster_id,
            mut topics,
        } = self.describe(vec![name.to_owned()]).await?;
        let described = match topics.pop() {
            Some(Ok(Some(described))) => described,
            Some(Err(code)) => return self.judge(AdminCall::DescribeTopics, Ok(Err(code))),
            Some(Ok(None)) | None => {
                return Ok(TopicLookup {
                    cluster_id,
                    topic: None,
                });
            }
        };
        let config = self.fetch_config(name).await?;
        let topic = config.map(|config| observed(described, config));
        Ok(TopicLookup { cluster_id, topic })
    }

    /// Describes the topics with these names in one call.
    pub(crate) async fn describe(&self, names: Vec<String>) -> Result<Description, KafkaError> {
        let deadline = self.deadline;
        let answer = self.run_blocking(move |client| {
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            describe_topics(client, &names, deadline)
        });
        let answer = match answer.await {
            Err(ClientError::AdminOp(code)) => Ok(Err(code)),
            other => other.map(Ok),
        };
        self.judge(AdminCall::DescribeTopics, answer)
    }

    /// Whether a topic ever had a record, that is, whether any of its partitions ends after offset
    /// 0.
    pub(crate) async fn fetch_was_written(
        &self,
        name: &str,
        partitions: u32,
    ) -> Result<bool, KafkaError> {
        let (name, deadline) = (name.to_owned(), self.deadline);
        let answer = self.run_blocking(move |client| {
            for partition in 0..partitions.cast_signed() {
                if client.fetch_watermarks(&name, partition, deadline)?.1 > 0 {
                    return Ok(true);
                }
            }
            Ok(false)
        });
        self.judge(AdminCall::ListOffsets, answer.await.map(Ok))
    }

    /// Fetches the names of all topics.
    pub(crate) async fn fetch_topic_names(&self) -> Result<Vec<String>, KafkaError> {
        let deadline = self.deadline;
        let answer = self.run_blocking(move |client| {
            let metadata = client.fetch_metadata(None, deadline)?;
            let names = metadata.topics().iter().map(|it| it.name().to_owned());
            Ok(names.collect())
        });
        self.judge(AdminCall::ListTopics, answer.await.map(Ok))
    }

    /// Runs a call that the client offers only as a blocking function.
    async fn run_blocking<T: Send + 'static>(
        &self,
        ask: impl FnOnce(&Client<DefaultClientContext>) -> Result<T, ClientError> + Send + 'static,
    ) -> Result<T, ClientError> {
        let client = Arc::clone(&self.client);
        tokio::task::spawn_blocking(move || ask(client.inner()))
            .await
            .unwrap_or(Err(ClientError::Canceled))
    }

    async fn fetch_config(
        &self,
        name: &str,
    ) -> Result<Option<BTreeMap<String, String>>, KafkaError> {
        let topic = [ResourceSpecifier::Topic(name)];
        let answer = self.client.describe_configs(&topic, &self.options()).await;
        let result = first(answer.map(|results| {
            results
                .into_iter()
                .map(|result| result.map(|resource| own_settings(resource.entries)))
                .collect()
        }));
        self.judge_missing(AdminCall::DescribeConfigs, result)
    }

    /// Creates a topic unless it exists, and returns whether it was created.
    pub(crate) async fn create(
        &self,
        name: &str,
        partitions: u32,
        replication: Option<u32>,
        config: &BTreeMap<String, String>,
    ) -> Result<bool, KafkaError> {
        // -1 stands for the default of the brokers.
        let replication = replication.map_or(-1, u32::cast_signed);
        let replication = TopicReplication::Fixed(replication);
        let mut topic = NewTopic::new(name, partitions.cast_signed(), replication);
        for (key, value) in config {
            topic = topic.set(key, value);
        }
        let answer = self.client.create_topics([&topic], &self.options()).await;
        is_created(self.judge(AdminCall::CreateTopics, first(answer.map(without_names))))
    }

    /// Gives a topic more partitions.
    pub(crate) async fn grow(&self, name: &str, partitions: u32) -> Result<(), KafkaError> {
        let count = usize::try_from(partitions).unwrap_or(usize::MAX);
        let grown = NewPartitions::new(name, count);
        let answer = self
            .client
            .create_partitions([&grown], &self.options())
            .await;
        self.judge(
            AdminCall::CreatePartitions,
            first(answer.map(without_names)),
        )
    }

    /// Sets the settings of a topic. The call replaces all of them, so the map must be complete.
    pub(crate) async fn configure(
        &self,
        name: &str,
        config: &BTreeMap<String, String>,
    ) -> Result<(), KafkaError> {
        let mut settings = AlterConfig::new(ResourceSpecifier::Topic(name));
        for (key, value) in config {
            settings = settings.set(key, value);
        }
        let answer = self
            .client
            .alter_configs([&settings], &self.options())
            .await;
        let result = first(answer.map(|results| {
            results
                .into_iter()
                .map(|result| result.map(|_| ()).map_err(|(_, code)| code))
                .collect()
        }));
        self.judge(AdminCall::AlterConfigs, result)
    }

    /// Deletes a topic with all its records. A topic that does not exist counts as deleted.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), KafkaError> {
        let answer = self.client.delete_topics(&[name], &self.options()).await;
        self.judge_missing(AdminCall::DeleteTopics, first(answer.map(without_names)))
            .map(|_| ())
    }

    /// The result of a call for which a missing topic is a valid answer.
    fn judge_missing<T>(
        &self,
        call: AdminCall,
        result: Result<Result<T, RDKafkaErrorCode>, ClientError>,
    ) -> Result<Option<T>, KafkaError> {
        match result {
            Ok(Err(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {
                self.metrics.count_call(call, true);
                Ok(None)
            }
            other => self.judge(call, other).map(Some),
        }
    }

    fn judge<T>(
        &self,
        call: AdminCall,
        result: Result<Result<T, RDKafkaErrorCode>, ClientError>,
    ) -> Result<T, KafkaError> {
        self.metrics.count_call(call, matches!(result, Ok(Ok(_))));
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

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.deadline))
            .operation_timeout(Some(self.deadline))
    }

    fn unreachable(&self, source: ClientError) -> KafkaError {
        KafkaError::Unreachable {
            brokers: self.brokers.to_owned(),
            source,
        }
    }
}

/// Whether an existing topic is as described is decided by the next reconciliation.
fn is_created(answer: Result<(), KafkaError>) -> Result<bool, KafkaError> {
    match answer {
        Err(KafkaError::Refused {
            code: RDKafkaErrorCode::TopicAlreadyExists,
            ..
        }) => Ok(false),
        other => other.map(|()| true),
    }
}

/// Takes the only result of a call about one topic.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_that_is_there_already_is_not_created_and_no_failure() {
        let metrics = Metrics::registered().unwrap();
        let brokers = Brokers::default();
        let topics = brokers.topics("localhost:9", &metrics).unwrap();
        let created = |answer| is_created(topics.judge(AdminCall::CreateTopics, Ok(answer)));
        assert!(created(Ok(())).unwrap());
        assert!(!created(Err(RDKafkaErrorCode::TopicAlreadyExists)).unwrap());
        assert!(created(Err(RDKafkaErrorCode::PolicyViolation)).is_err());
    }
}

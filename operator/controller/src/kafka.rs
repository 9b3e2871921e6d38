//! The part of Kafka's admin API that topics need. Every call has a deadline and is counted.

mod clusters;
mod error;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use innkeeper_contracts::secret::masked;
use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_kafka::{
    Description, Prober, TopicDescription, client_config, describe_topics, is_same,
};
use innkeeper_plan::topic::{ObservedTopic, TopicLookup};
use rdkafka::ClientConfig;
use rdkafka::admin::{
    AdminClient, AdminOptions, AlterConfig, ConfigEntry, ConfigSource, NewPartitions, NewTopic,
    ResourceSpecifier, TopicReplication,
};
use rdkafka::client::{Client, DefaultClientContext};
use rdkafka::config::RDKafkaLogLevel;
use rdkafka::error::KafkaError as ClientError;
use rdkafka::types::RDKafkaErrorCode;

use crate::kafka_call::AdminCall;
use crate::metrics::Metrics;
use clusters::Clusters;
pub(crate) use error::KafkaError;
use error::is_outage;

/// How long a call may take.
const DEADLINE: Duration = Duration::from_secs(10);

/// How long to wait for the reason why brokers cannot be reached.
const PROBED_WITHIN: Duration = Duration::from_secs(10);

/// How old that reason may be.
const REASON_AGE: Duration = Duration::from_secs(5);

/// Said when brokers seem to ask for more than the operator offers.
const NOT_LISTED: &str = "; the operator reaches them without TLS and a password, because kafka.clusters in the chart's values does not list them";

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
    clusters: Clusters,
    clients: Mutex<HashMap<String, Cached>>,
    deadline: Duration,
}

type Admin = AdminClient<DefaultClientContext>;

/// A client of a set of brokers.
#[derive(Clone)]
struct Cached {
    /// What was tried last; if it made no client, the former one goes on.
    config: ClientConfig,
    client: Arc<Admin>,
    prober: Arc<Prober>,
}

impl Brokers {
    /// The brokers of these clusters, and others without TLS and a password.
    pub(crate) fn of(clusters: Vec<KafkaCluster>) -> Self {
        Self::answering_within(DEADLINE, clusters)
    }

    /// The same, of which no call takes longer than this.
    pub(crate) fn answering_within(deadline: Duration, clusters: Vec<KafkaCluster>) -> Self {
        Self {
            clusters: Clusters(clusters),
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
        let (cluster, is_listed) = self.clusters.with(bootstrap_servers);
        let Cached { client, prober, .. } =
            self.client(&cluster)
                .map_err(|cause| KafkaError::Unusable {
                    brokers: bootstrap_servers.to_owned(),
                    cause,
                })?;
        Ok(Topics {
            brokers: bootstrap_servers,
            is_listed,
            client,
            prober,
            metrics,
            deadline: self.deadline,
        })
    }

    /// The client of a cluster. Credentials and certificates are read each time, since a Secret may
    /// have been rotated; if they make no client, the former one goes on.
    fn client(&self, cluster: &KafkaCluster) -> Result<Cached, String> {
        let brokers = &cluster.bootstrap_servers;
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let former = clients.get(brokers).cloned();
        let config = match (config(cluster), former.clone()) {
            (Ok(config), Some(former)) if is_same(&config, &former.config) => return Ok(former),
            (Err(error), Some(former)) => {
                warn(brokers, &error);
                return Ok(former);
            }
            (config, _) => config?,
        };
        let cached = match (config.create(), &former) {
            (Ok(client), _) => Cached {
                config,
                client: Arc::new(client),
                prober: Arc::new(Prober::of(cluster.clone())),
            },
            (Err(error), None) => return Err(error.to_string()),
            (Err(error), Some(former)) => {
                warn(brokers, &error.to_string());
                let goes_on = Cached {
                    config,
                    ..former.clone()
                };
                clients.insert(brokers.clone(), goes_on.clone());
                return Ok(goes_on);
            }
        };
        clients.insert(brokers.clone(), cached.clone());
        if let Some(former) = former {
            tracing::info!(brokers, "the credentials for Kafka have changed");
            // Dropping a client waits for its threads.
            tokio::task::spawn_blocking(move || drop(former));
        }
        Ok(cached)
    }
}

fn warn(brokers: &str, error: &str) {
    let error = masked(error);
    tracing::warn!(brokers, %error, "the new credentials for Kafka cannot be used; going on with the former ones");
}

/// The configuration of an admin client.
fn config(cluster: &KafkaCluster) -> Result<ClientConfig, String> {
    let config = client_config(cluster, "innkeeper-operator");
    let mut config = config.map_err(|error| format!("{error}: {}", error.source))?;
    // Nobody would hear what an admin client logs, and rdkafka would keep it for ever.
    config.set_log_level(RDKafkaLogLevel::Emerg);
    Ok(config)
}

/// The admin API of a set of brokers, for topics.
pub(crate) struct Topics<'a> {
    brokers: &'a str,
    /// Whether the installation says how these brokers are reached.
    is_listed: bool,
    client: Arc<Admin>,
    prober: Arc<Prober>,
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
            Some(Err(code)) => return self.judge(AdminCall::DescribeTopics, Ok(Err(code))).await,
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
        self.judge(AdminCall::DescribeTopics, answer).await
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
            .await
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
            .await
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
        self.judge_missing(AdminCall::DescribeConfigs, result).await
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
        let created = self.judge(AdminCall::CreateTopics, first(answer.map(without_names)));
        is_created(created.await)
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
        .await
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
        self.judge(AdminCall::AlterConfigs, result).await
    }

    /// Deletes a topic with all its records. A topic that does not exist counts as deleted.
    pub(crate) async fn delete(&self, name: &str) -> Result<(), KafkaError> {
        let answer = self.client.delete_topics(&[name], &self.options()).await;
        self.judge_missing(AdminCall::DeleteTopics, first(answer.map(without_names)))
            .await
            .map(|_| ())
    }

    /// The result of a call for which a missing topic is a valid answer.
    async fn judge_missing<T>(
        &self,
        call: AdminCall,
        result: Result<Result<T, RDKafkaErrorCode>, ClientError>,
    ) -> Result<Option<T>, KafkaError> {
        match result {
            Ok(Err(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic)) => {
                self.metrics.count_call(call, true);
                Ok(None)
            }
            other => self.judge(call, other).await.map(Some),
        }
    }

    async fn judge<T>(
        &self,
        call: AdminCall,
        result: Result<Result<T, RDKafkaErrorCode>, ClientError>,
    ) -> Result<T, KafkaError> {
        self.metrics.count_call(call, matches!(result, Ok(Ok(_))));
        match result {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(code)) if !is_outage(code) => Err(KafkaError::Refused { call, code }),
            Ok(Err(code)) => Err(self.explain_outage(&ClientError::AdminOp(code)).await),
            Err(error) => Err(self.explain_outage(&error).await),
        }
    }

    fn options(&self) -> AdminOptions {
        AdminOptions::new()
            .request_timeout(Some(self.deadline))
            .operation_timeout(Some(self.deadline))
    }

    /// Finds out why the brokers cannot be reached.
    async fn explain_outage(&self, error: &ClientError) -> KafkaError {
        let prober = Arc::clone(&self.prober);
        let probing = tokio::task::spawn_blocking(move || prober.probe(REASON_AGE));
        let seen = tokio::time::timeout(self.deadline.min(PROBED_WITHIN), probing).await;
        let seen = seen.ok().and_then(Result::ok).unwrap_or_default();
        let failure = seen.failure;
        let mut cause = failure.map_or_else(|| error.to_string(), |it| masked(&it).into_owned());
        if !self.is_listed && seen.was_turned_away {
            cause.push_str(NOT_LISTED);
        }
        KafkaError::Unreachable {
            brokers: self.brokers.to_owned(),
            cause,
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

    #[tokio::test]
    async fn a_topic_that_is_there_already_is_not_created_and_no_failure() {
        let metrics = Metrics::registered().unwrap();
        let brokers = Brokers::of(Vec::new());
        let topics = brokers.topics("localhost:9", &metrics).unwrap();
        let created =
            async |answer| is_created(topics.judge(AdminCall::CreateTopics, Ok(answer)).await);
        assert!(created(Ok(())).await.unwrap());
        assert!(
            !created(Err(RDKafkaErrorCode::TopicAlreadyExists))
                .await
                .unwrap()
        );
        assert!(
            created(Err(RDKafkaErrorCode::PolicyViolation))
                .await
                .is_err()
        );
    }
}

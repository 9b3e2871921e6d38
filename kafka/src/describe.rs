//! The topics that have certain names now, with their ids: `DescribeTopics` of Kafka's admin API, which `rdkafka` lacks.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::native;

/// What a cluster answers to a question about topics.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Description {
    /// The id of the cluster that answered; `None` when its brokers are too old to have one.
    pub cluster_id: Option<String>,
    /// One answer for each name, in the order of the question: `None` where there is no such topic.
    pub topics: Vec<Result<Option<TopicDescription>, RDKafkaErrorCode>>,
}

/// A topic as it is now.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct TopicDescription {
    /// Its id, as Kafka's own tools write it; a topic that is made anew has another. `None` before Kafka 2.8.
    pub topic_id: Option<String>,
    /// The number of its partitions.
    pub partitions: usize,
    /// The number of replicas of its first partition.
    pub replication: usize,
}

/// Asks which topics have these names now. It blocks for `timeout` at most, and never makes a topic.
pub fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[&str],
    timeout: Duration,
) -> Result<Description, KafkaError> {
    let names: Vec<CString> = names
        .iter()
        .map(|name| CString::new(*name))
        .collect::<Result<_, _>>()?;
    let topics = native::describe_topics(client, &names, timeout).map_err(KafkaError::AdminOp)?;
    Ok(Description {
        cluster_id: native::cluster_id(client),
        topics: topics.into_iter().map(missing_is_an_answer).collect(),
    })
}

fn missing_is_an_answer(
    answer: Result<TopicDescription, RDKafkaErrorCode>,
) -> Result<Option<TopicDescription>, RDKafkaErrorCode> {
    match answer {
        Ok(topic) => Ok(Some(topic)),
        Err(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(None),
        Err(code) => Err(code),
    }
}

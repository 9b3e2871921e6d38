//! Describes topics by their names, with their ids: `DescribeTopics` of Kafka's admin API, which
//! `rdkafka` lacks.

use std::ffi::CString;
use std::time::Duration;

use rdkafka::client::{Client, ClientContext};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};

use crate::native;
use crate::topic::{TopicDescription, TopicRights};

/// The answer of a cluster about topics.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Description {
    /// Id of the cluster that answered; `None` if its brokers are too old to have one.
    pub cluster_id: Option<String>,
    /// One answer for each name, in the order of the names; `None` if there is no such topic.
    pub topics: Vec<Result<Option<TopicDescription>, RDKafkaErrorCode>>,
}

/// Describes the topics that have these names now. Blocks for at most `timeout`, and never creates
/// a topic.
pub fn describe_topics<C: ClientContext>(
    client: &Client<C>,
    names: &[&str],
    timeout: Duration,
) -> Result<Description, KafkaError> {
    let names: Vec<CString> = names
        .iter()
        .map(|name| CString::new(*name))
        .collect::<Result<_, _>>()?;
    let topics = native::describe_topics(client, &names, false, timeout);
    Ok(Description {
        cluster_id: native::cluster_id(client),
        topics: topics
            .map_err(KafkaError::AdminOp)?
            .into_iter()
            .map(missing_is_an_answer)
            .collect(),
    })
}

/// What Kafka's ACLs let the client do with a topic; `None` if the brokers do not tell, as those
/// before 2.3. Blocks for at most `timeout`.
pub fn fetch_topic_rights<C: ClientContext>(
    client: &Client<C>,
    name: &str,
    timeout: Duration,
) -> Result<Option<TopicRights>, KafkaError> {
    let names = [CString::new(name)?];
    let topics = native::describe_topics(client, &names, true, timeout);
    let topic = topics.map_err(KafkaError::AdminOp)?.pop();
    let topic = topic.transpose().map_err(KafkaError::AdminOp)?;
    Ok(topic.and_then(|topic| topic.rights))
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

//! The calls of Kafka's admin API, and how they fail.

use rdkafka::error::KafkaError as ClientError;
use rdkafka::types::RDKafkaErrorCode;

/// A call of the admin API.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Call {
    DescribeTopics,
    DescribeConfigs,
    ListOffsets,
    ListTopics,
    CreateTopics,
    CreatePartitions,
    AlterConfigs,
    DeleteTopics,
}

impl Call {
    /// Every call there is.
    pub(crate) const ALL: [Self; 8] = [
        Self::DescribeTopics,
        Self::DescribeConfigs,
        Self::ListOffsets,
        Self::ListTopics,
        Self::CreateTopics,
        Self::CreatePartitions,
        Self::AlterConfigs,
        Self::DeleteTopics,
    ];

    /// Its name in metrics.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::DescribeTopics => "describe_topics",
            Self::DescribeConfigs => "describe_configs",
            Self::ListOffsets => "list_offsets",
            Self::ListTopics => "list_topics",
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

/// Whether a code speaks of brokers that are not there, or not yet, rather than of the call.
pub(super) const fn is_outage(code: RDKafkaErrorCode) -> bool {
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

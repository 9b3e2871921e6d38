//! Why calls of Kafka's admin API fail, and what to do about it.

use innkeeper_plan::topic::KafkaFailure;
use rdkafka::error::KafkaError as ClientError;
use rdkafka::types::RDKafkaErrorCode;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaError {
    /// No broker answered.
    #[error("no broker at {brokers} answers")]
    Unreachable {
        /// The addresses of the brokers.
        brokers: String,
        /// The error of the client.
        source: ClientError,
    },
    /// A broker refused the call.
    #[error("Kafka refuses {call}: {code}")]
    Refused {
        /// Name of the call.
        call: &'static str,
        /// The error code of Kafka.
        code: RDKafkaErrorCode,
    },
}

impl KafkaError {
    /// The cause of an outage, which the message of the error leaves out.
    pub(crate) fn cause(&self) -> Option<String> {
        std::error::Error::source(self).map(ToString::to_string)
    }
}

impl From<KafkaError> for KafkaFailure {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::Unreachable { brokers, source } => Self::Unreachable {
                brokers,
                cause: source.to_string(),
            },
            KafkaError::Refused { call, code } => Self::Refused {
                call,
                code: code.to_string(),
                remedy: remedy(code),
            },
        }
    }
}

/// What to do about a common refusal.
const fn remedy(code: RDKafkaErrorCode) -> Option<&'static str> {
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => Some("lower replication, or add brokers"),
        RDKafkaErrorCode::InvalidConfig => Some("correct config"),
        RDKafkaErrorCode::PolicyViolation => {
            Some("ask for what the brokers' policy allows, or change the policy")
        }
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => {
            Some("allow it to the operator in Kafka's ACLs")
        }
        _ => None,
    }
}

/// Whether a code means that brokers are unavailable, and not that the call is wrong.
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_that_people_can_mend_has_a_remedy() {
        let refused = KafkaFailure::from(KafkaError::Refused {
            call: "create_topics",
            code: RDKafkaErrorCode::InvalidReplicationFactor,
        });
        let KafkaFailure::Refused { remedy, .. } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(remedy, Some("lower replication, or add brokers"));
    }

    #[test]
    fn an_outage_keeps_the_message_of_the_client() {
        let unreachable = KafkaFailure::from(KafkaError::Unreachable {
            brokers: "kafka:9092".to_owned(),
            source: ClientError::AdminOp(RDKafkaErrorCode::OperationTimedOut),
        });
        let KafkaFailure::Unreachable { cause, .. } = unreachable else {
            panic!("{unreachable:?}");
        };
        assert!(cause.starts_with("Admin operation error"), "{cause}");
    }
}

//! Why calls of Kafka's admin API fail, and what to do about it.

use innkeeper_plan::topic::KafkaFailure;
use rdkafka::types::RDKafkaErrorCode;

use crate::kafka_call::AdminCall;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub(crate) enum KafkaError {
    #[error("no broker at {brokers} answers")]
    Unreachable {
        /// The addresses of the brokers.
        brokers: String,
        cause: String,
    },
    /// The operator's own Secret makes no client.
    #[error("the operator's Secret for {brokers} cannot be used")]
    Unusable {
        /// The addresses of the brokers.
        brokers: String,
        cause: String,
    },
    /// A broker refused the call.
    #[error("Kafka refuses {}: {code}", call.name())]
    Refused {
        call: AdminCall,
        /// The error code of Kafka.
        code: RDKafkaErrorCode,
    },
}

impl KafkaError {
    /// The cause, which the message of the error leaves out.
    pub(crate) fn cause(&self) -> Option<&str> {
        match self {
            Self::Unreachable { cause, .. } | Self::Unusable { cause, .. } => Some(cause),
            Self::Refused { .. } => None,
        }
    }
}

impl From<KafkaError> for KafkaFailure {
    fn from(error: KafkaError) -> Self {
        match error {
            KafkaError::Unreachable { brokers, cause } => Self::Unreachable { brokers, cause },
            KafkaError::Unusable { brokers, cause } => Self::Unusable { brokers, cause },
            KafkaError::Refused { call, code } => Self::Refused {
                call: call.name(),
                code: code.to_string(),
                remedy: remedy(call, code),
            },
        }
    }
}

/// What to do about a common refusal.
const fn remedy(call: AdminCall, code: RDKafkaErrorCode) -> Option<&'static str> {
    match code {
        RDKafkaErrorCode::InvalidReplicationFactor => Some("lower replication, or add brokers"),
        RDKafkaErrorCode::InvalidConfig => Some("correct config"),
        RDKafkaErrorCode::PolicyViolation => {
            Some("ask for what the brokers' policy allows, or change the policy")
        }
        RDKafkaErrorCode::TopicAuthorizationFailed
        | RDKafkaErrorCode::ClusterAuthorizationFailed => Some(call.right()),
        _ => None,
    }
}

/// Whether a code means that brokers are unavailable, and not that the call is wrong.
pub(super) const fn is_outage(code: RDKafkaErrorCode) -> bool {
    matches!(
        code,
        RDKafkaErrorCode::BrokerTransportFailure
            | RDKafkaErrorCode::AllBrokersDown
            | RDKafkaErrorCode::Authentication
            | RDKafkaErrorCode::SSL
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
            call: AdminCall::CreateTopics,
            code: RDKafkaErrorCode::InvalidReplicationFactor,
        });
        let KafkaFailure::Refused { remedy, .. } = refused else {
            panic!("{refused:?}");
        };
        assert_eq!(remedy, Some("lower replication, or add brokers"));
    }

    #[test]
    fn a_right_that_is_missing_is_named() {
        let denied = RDKafkaErrorCode::TopicAuthorizationFailed;
        for call in AdminCall::ALL {
            let remedy = remedy(call, denied).unwrap();
            assert!(remedy.starts_with("allow "), "{remedy}");
        }
    }
}

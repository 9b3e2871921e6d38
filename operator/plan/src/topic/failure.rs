//! Failures of Kafka's admin API.

/// A call of Kafka's admin API that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KafkaFailure {
    Unreachable {
        /// The addresses of the brokers.
        brokers: String,
        /// The error of the client.
        cause: String,
    },
    /// The operator's own Secret makes no client.
    Unusable {
        /// The addresses of the brokers.
        brokers: String,
        /// What is wrong with the Secret.
        cause: String,
    },
    /// A broker refused the call.
    Refused {
        /// Name of the call.
        call: &'static str,
        /// The error code of Kafka.
        code: String,
        /// What to do about it, if that is known.
        remedy: Option<&'static str>,
    },
}

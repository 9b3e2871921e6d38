//! A call of Kafka's admin API that failed.

/// A call of Kafka's admin API that failed.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum KafkaFailure {
    /// No broker answered.
    Unreachable {
        /// Where brokers were expected.
        brokers: String,
        /// What the client says.
        cause: String,
    },
    /// A broker refused the call.
    Refused {
        /// The call.
        call: &'static str,
        /// Why, in Kafka's words.
        code: String,
        /// What to do about it, after a colon; empty where nobody knows.
        remedy: &'static str,
    },
}

//! What librdkafka tells a client through its callbacks.

use std::collections::BTreeSet;
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use rdkafka::client::ClientContext;
use rdkafka::error::KafkaError;
use x509_cert::Certificate;
use x509_cert::der::Decode as _;

/// Keeps what librdkafka reports in callbacks, so that an error can be explained.
#[derive(Debug)]
pub struct Witness {
    /// Whether a certificate can be refused at all.
    verifies: bool,
    seen: Mutex<Seen>,
}

/// What a client has reported so far.
#[derive(Clone, Debug, Default)]
pub struct Seen {
    /// Why a certificate was refused.
    refused: Option<String>,
    /// Problems with connections. One of them is told, the same each time.
    problems: BTreeSet<String>,
    /// When the certificate of the broker ends.
    pub certificate_ends: Option<Timestamp>,
}

impl ClientContext for Witness {}

impl Witness {
    /// A witness of a client that verifies certificates, or takes all.
    pub fn new(verifies: bool) -> Self {
        Self {
            verifies,
            seen: Mutex::default(),
        }
    }

    /// Hears of a certificate, and how OpenSSL judges it: 0 if it is valid. The server's own has
    /// the depth 0. Returns whether the client takes it.
    pub fn hear_certificate(&self, broker: &str, error: i32, depth: i32, der: &[u8]) -> bool {
        let mut seen = self.seen();
        if depth == 0 {
            let certificate = Certificate::from_der(der).ok();
            seen.certificate_ends = certificate.as_ref().and_then(end);
        }
        let is_taken = error == 0 || !self.verifies;
        if !is_taken && seen.refused.is_none() {
            seen.refused = Some(refusal(host(broker), error, depth));
        }
        is_taken
    }

    /// Hears of a problem with a connection: what librdkafka logs, which begins with its thread and
    /// ends with a time.
    pub fn hear_problem(&self, line: &str) {
        let reason = line.split_once("]: ").map_or(line, |(_, reason)| reason);
        let reason = reason.split_once(" (after ").map_or(reason, |(it, _)| it);
        self.seen().problems.insert(reason.to_owned());
    }

    /// What was heard so far.
    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Seen {
    /// Whether there is a reason why brokers do not answer.
    pub fn knows_reason(&self) -> bool {
        self.refused.is_some() || !self.problems.is_empty()
    }

    /// Why a call failed, as far as that was heard.
    pub fn reason(&self, error: &KafkaError) -> String {
        let told = self.refused.as_ref().or_else(|| self.problems.first());
        told.map_or_else(|| error.to_string(), Clone::clone)
    }
}

/// Why OpenSSL refuses a certificate:
/// <https://docs.openssl.org/3.5/man3/X509_STORE_CTX_get_error/>.
fn refusal(host: &str, error: i32, depth: i32) -> String {
    let whose = if depth == 0 {
        "the certificate"
    } else {
        "a certificate of the chain"
    };
    let why = match error {
        9 => "is not valid yet",
        10 => "has expired",
        18..=21 => {
            return format!(
                "the certificate of {host} comes from an authority that is not trusted here"
            );
        }
        62 => "is for another name",
        64 => "is for another address",
        _ => return format!("{whose} of {host} is refused (OpenSSL's error {error})"),
    };
    format!("{whose} of {host} {why}")
}

/// The address in the name that librdkafka gives a broker, such as `ssl://kafka:9093/bootstrap`.
fn host(broker: &str) -> &str {
    let address = broker.split_once("://").map_or(broker, |(_, rest)| rest);
    address.split_once('/').map_or(address, |(host, _)| host)
}

/// When a certificate ends.
pub fn end(certificate: &Certificate) -> Option<Timestamp> {
    let end = certificate.tbs_certificate.validity.not_after;
    let seconds = i64::try_from(end.to_unix_duration().as_secs()).ok()?;
    Timestamp::from_second(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_is_told_in_the_same_words_each_time() {
        let told = |milliseconds: u32| {
            let witness = Witness::new(true);
            witness.hear_problem(&format!(
                "[thrd:kafka:9092/bootstrap]: kafka:9092/bootstrap: Connection refused (after {milliseconds}ms in state CONNECT)"
            ));
            witness.seen().problems.first().cloned()
        };
        assert_eq!(
            told(0).as_deref(),
            Some("kafka:9092/bootstrap: Connection refused")
        );
        assert_eq!(told(0), told(7));
    }

    #[test]
    fn a_refused_certificate_is_named_by_its_address() {
        let said = |error, depth| refusal(host("sasl_ssl://kafka:9093/bootstrap"), error, depth);
        assert_eq!(said(10, 0), "the certificate of kafka:9093 has expired");
        assert_eq!(
            said(19, 1),
            "the certificate of kafka:9093 comes from an authority that is not trusted here"
        );
        assert_eq!(
            said(26, 0),
            "the certificate of kafka:9093 is refused (OpenSSL's error 26)"
        );
        assert_eq!(host("kafka:9093"), "kafka:9093");
    }
}

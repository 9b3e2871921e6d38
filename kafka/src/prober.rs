//! Probes a cluster again and again, but not more often than needed.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use innkeeper_contracts::settings::KafkaCluster;

use crate::probe::{Probed, probe};

/// How long a connection may take. A broker looks up the name of its own address for SCRAM, which
/// takes some seconds where nobody answers.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Probes of one cluster. All of them block.
pub struct Prober {
    cluster: KafkaCluster,
    last: Mutex<Option<(Instant, Probed)>>,
}

/// An error with its causes.
fn with_causes(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(cause) => format!("{error}: {}", with_causes(cause)),
        None => error.to_string(),
    }
}

impl Prober {
    /// Probes of a cluster.
    pub const fn of(cluster: KafkaCluster) -> Self {
        Self {
            cluster,
            last: Mutex::new(None),
        }
    }

    /// What a connection has shown that is not older than this, else what a new one shows. Several
    /// callers wait for one.
    pub fn probe(&self, not_older_than: Duration) -> Probed {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, probed)) = &*last
            && at.elapsed() < not_older_than
        {
            return probed.clone();
        }
        let probed = probe(&self.cluster, TIMEOUT).unwrap_or_else(|error| Probed {
            failure: Some(with_causes(&error)),
            ..Probed::default()
        });
        *last = Some((Instant::now(), probed.clone()));
        probed
    }
}

//! Shows in metrics when the certificates end with which the operator and its Kafka brokers prove
//! who they are.

use std::time::Duration;

use innkeeper_contracts::settings::KafkaCluster;
use innkeeper_kafka::{Prober, client_certificate_ends};
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::metrics::Metrics;

/// How often to look.
const LOOK_EVERY: Duration = Duration::from_hours(1);

/// How soon to look again while brokers show no certificate.
const LOOK_AGAIN: Duration = Duration::from_mins(5);

/// Looks at the certificates of every cluster with TLS until the operator stops.
pub(crate) async fn keep_looking(
    clusters: Vec<KafkaCluster>,
    metrics: Metrics,
    stop: CancellationToken,
) {
    let secured: Vec<_> = clusters
        .into_iter()
        .filter(|cluster| cluster.encryption().is_some())
        .collect();
    if secured.is_empty() {
        return;
    }
    loop {
        let mut all_are_known = true;
        for cluster in &secured {
            let looking = stop.run_until_cancelled(look(cluster, &metrics));
            match looking.await {
                Some(is_known) => all_are_known &= is_known,
                None => return,
            }
        }
        let pause = if all_are_known {
            LOOK_EVERY
        } else {
            LOOK_AGAIN
        };
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
    }
}

/// Looks at the certificates of a cluster, and returns whether the brokers have shown theirs. What
/// was shown before stands while they do not.
async fn look(cluster: &KafkaCluster, metrics: &Metrics) -> bool {
    let prober = Prober::of(cluster.clone());
    let seen = tokio::task::spawn_blocking(move || prober.probe(Duration::ZERO)).await;
    let server = seen.ok().and_then(|it| it.server_certificate_ends);
    let client = cluster.encryption().and_then(client_certificate_ends);
    for (certificate, end) in [("kafka_server", server), ("kafka_client", client)] {
        let end = end.map(Timestamp::as_second);
        metrics.set_certificate_end(&cluster.bootstrap_servers, certificate, end);
    }
    server.is_some()
}

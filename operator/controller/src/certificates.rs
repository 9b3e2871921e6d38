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
        for cluster in &secured {
            look(cluster, &metrics).await;
        }
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK_EVERY) => {}
        }
    }
}

async fn look(cluster: &KafkaCluster, metrics: &Metrics) {
    let prober = Prober::of(cluster.clone());
    let seen = tokio::task::spawn_blocking(move || prober.probed(Duration::ZERO)).await;
    let server = seen.ok().and_then(|it| it.server_certificate_ends);
    let client = cluster.encryption().and_then(client_certificate_ends);
    for (certificate, end) in [("kafka_server", server), ("kafka_client", client)] {
        let end = end.map_or(0, Timestamp::as_second);
        metrics.set_certificate_end(&cluster.bootstrap_servers, certificate, end);
    }
}

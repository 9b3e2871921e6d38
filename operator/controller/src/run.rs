//! Runs an operator from its options until it has stopped in an orderly way.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use innkeeper_plan::names::FIELD_MANAGER;
use innkeeper_runtime::server::Listener;
use kube::Client;
use kube::runtime::events::{Recorder, Reporter};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::admin::{self, Admin};
use crate::certificates;
use crate::context::Context;
use crate::controllers::Controllers;
use crate::kafka::Brokers;
use crate::leader::{Candidate, LostLease};
use crate::ledger::Ledger;
use crate::metrics::Metrics;
use crate::options::Options;
use crate::readiness::ReadinessCheck;
use crate::rollouts::Rollouts;

/// Why an operator does not run.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// No cluster is configured or reachable.
    #[error("could not find out how to reach the cluster")]
    Cluster(#[source] Box<kube::Error>),
    /// The address of the admin API cannot be used.
    #[error("could not listen on {address}")]
    Listen {
        address: SocketAddr,
        /// The error of the system.
        source: io::Error,
    },
    /// The metrics could not be created.
    #[error("could not make the metrics")]
    Metrics(#[source] prometheus::Error),
    /// Another replica may be working now.
    #[error("this replica must not go on")]
    Lost(#[from] LostLease),
}

/// Runs an operator until it is told to stop. It then finishes what it has begun and releases its
/// Lease. The cluster is that of `KUBECONFIG` or, in a pod, the pod's own.
pub async fn run(options: Options, stop: CancellationToken) -> Result<(), RunError> {
    let client = Client::try_default()
        .await
        .map_err(|error| RunError::Cluster(Box::new(error)))?;
    let metrics = Metrics::registered().map_err(RunError::Metrics)?;
    let listener = listen(options.listen).await?;
    let controllers = Controllers::new(&client, &options.scope);
    let (found_missing, missing) = watch::channel(vec!["a first look at the cluster".to_owned()]);
    let admin = Admin {
        metrics: metrics.clone(),
        missing,
        watched: Arc::clone(&controllers.watched),
    };
    let check = ReadinessCheck::new(
        client.clone(),
        options.scope.clone(),
        options.standby.as_ref().map(|it| it.namespace.clone()),
    );
    // The admin API keeps answering until the work has ended.
    let ended = CancellationToken::new();
    let serve = admin::serve(listener, admin, ended.clone());
    let checking = check.keep_checking(found_missing, ended.clone());
    let clusters = options.kafka_clusters.clone();
    let looking = certificates::keep_looking(clusters, metrics.clone(), ended.clone());
    let work = async {
        let outcome = work(options, client, metrics, controllers, stop).await;
        ended.cancel();
        outcome
    };
    let ((), (), (), worked) = tokio::join!(serve, checking, looking, work);
    tracing::info!("the operator has stopped");
    worked
}

async fn listen(address: SocketAddr) -> Result<Listener, RunError> {
    let listener = Listener::bind(address).await;
    let listener = listener.map_err(|source| RunError::Listen { address, source })?;
    let address = listener.local_addr().unwrap_or(address);
    tracing::info!(%address, "answering /livez, /readyz and /metrics");
    Ok(listener)
}

async fn work(
    options: Options,
    client: Client,
    metrics: Metrics,
    controllers: Controllers,
    stop: CancellationToken,
) -> Result<(), RunError> {
    let candidate = options
        .standby
        .clone()
        .map(|standby| Candidate::new(client.clone(), standby, options.now));
    let leading = match candidate {
        None => None,
        Some(candidate) => match candidate.await_election(&stop).await {
            None => return Ok(()),
            Some(since) => Some((candidate, since)),
        },
    };
    metrics.set_leader(true);
    let ctx = Arc::new(context(options, client, metrics.clone()));
    let reconciling = controllers.run(ctx, stop);
    let Some((candidate, since)) = leading else {
        reconciling.await;
        return Ok(());
    };
    // Losing the lease ends the work at once: another replica may have begun.
    let outcome = tokio::select! {
        () = reconciling => Ok(()),
        lost = candidate.keep(since) => Err(RunError::Lost(lost)),
    };
    metrics.set_leader(false);
    candidate.release().await;
    outcome
}

fn context(options: Options, client: Client, metrics: Metrics) -> Context {
    let (own_namespace, instance) = options
        .standby
        .map(|standby| (standby.namespace, standby.identity))
        .unzip();
    let reporter = Reporter {
        controller: FIELD_MANAGER.to_owned(),
        instance,
    };
    Context {
        recorder: Recorder::new(client.clone(), reporter),
        client,
        metrics,
        brokers: Brokers::of(options.kafka_clusters),
        ledger: Ledger::default(),
        defaults: options.defaults,
        rollouts: Arc::new(Rollouts::of(options.platforms_at_once)),
        now: options.now,
        topic_resync: options.topic_resync,
        scope: options.scope,
        own_namespace,
    }
}

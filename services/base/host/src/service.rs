//! One service in this process: opened, served, and shut down in order.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use innkeeper_contracts::settings::Log as LogSettings;
use innkeeper_contracts::{EventType, ServiceSettings};
use innkeeper_kit::log::Log;
use innkeeper_kit::store::Store;
use innkeeper_kit::{Clock, CrashPlan};
use innkeeper_runtime::callee::InvalidAddress;
use innkeeper_runtime::client::Client;
use innkeeper_runtime::component::{Chore, Component};
use innkeeper_runtime::consumer::{Consumer, TRY_FOR};
use innkeeper_runtime::context::Context;
use innkeeper_runtime::database_watch::DatabaseWatch;
use innkeeper_runtime::dead_letters::{DeadLetters, Revision};
use innkeeper_runtime::health::Health;
use innkeeper_runtime::lifecycle::Lifecycle;
use innkeeper_runtime::metrics::Metrics;
use innkeeper_runtime::neighbours::{Neighbour, Neighbours};
use innkeeper_runtime::problem::causes;
use innkeeper_runtime::pruning::Pruning;
use innkeeper_runtime::reception::Reception;
use innkeeper_runtime::relay::Relay;
use innkeeper_runtime::server::{self, Limits, Listener, Unrouted};
use innkeeper_runtime::shutdown::{Pace, shut_down};
use innkeeper_runtime::transport::{LogWatch, Transports};
use innkeeper_runtime::{admin, cors, edge};
use tracing::Instrument as _;
use uuid::Uuid;

use crate::components::{Constructor, constructor};

/// How long the last events may take to reach the log, once there are no new ones.
const FLUSH_WITHIN: Duration = Duration::from_secs(10);

/// What a service is started with.
pub struct Launch {
    /// The settings of the service.
    pub settings: ServiceSettings,
    /// The listener of its business API.
    pub listener: Listener,
    /// Where it keeps its rows and sends its events; `None` for a gateway.
    pub backing: Option<Backing>,
    /// The services in the same process, which it joins and calls without a connection.
    pub neighbours: Neighbours,
    /// The source of time.
    pub clock: Arc<dyn Clock>,
    /// At which crash point the process dies, in tests.
    pub crash: CrashPlan,
}

/// Where a service keeps its rows and sends its events.
pub enum Backing {
    /// The database of its settings. A relay sends its events to this log.
    Relayed(Arc<dyn Log>),
    /// A store whose steps themselves add their events to this log.
    Shared {
        /// The store, which is not closed with the service.
        store: Arc<dyn Store>,
        log: Arc<dyn Log>,
    },
}

/// Why a service could not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Its component needs a database and a log, and its settings lack one of them.
    #[error("the settings of {service} lack {missing}")]
    Incomplete {
        /// Name of the service.
        service: String,
        /// What the settings lack.
        missing: &'static str,
    },
    /// The database cannot be opened.
    #[error(transparent)]
    Store(#[from] innkeeper_storage::OpenError),
    /// An address in the settings is not valid.
    #[error(transparent)]
    Address(#[from] InvalidAddress),
}

pub struct Service {
    /// Name of the service.
    pub name: String,
    /// The health of the service.
    pub health: Health,
    /// The routes of its admin API.
    pub admin: Router,
    drain_within: Duration,
    /// The tasks of server, consumer and chores.
    intake: Lifecycle,
    /// The task of the relay, which ends after those that make new events.
    outlet: Lifecycle,
    store: Option<Arc<dyn Store>>,
    /// How its connections are protected.
    transports: Transports,
    has_dead_letters: bool,
}

impl Service {
    /// Opens what the service needs and starts it. Its log lines carry its name.
    pub async fn start(launch: Launch) -> Result<Self, StartError> {
        let span = span(&launch.settings.service);
        Self::open(launch).instrument(span).await
    }

    async fn open(launch: Launch) -> Result<Self, StartError> {
        let settings = Arc::new(launch.settings);
        let metrics = Metrics::new(&settings.platform, &settings.service);
        let intake = Lifecycle::new();
        let outlet = intake.beside();
        let health = Health::new(&intake);
        let transports = Transports::new(&metrics);
        let mut service = Self {
            name: settings.service.clone(),
            admin: admin::router(
                health.clone(),
                metrics.clone(),
                &settings,
                transports.clone(),
            ),
            transports,
            health,
            drain_within: Duration::from_secs(settings.drain_seconds.into()),
            intake,
            outlet,
            store: None,
            has_dead_letters: false,
        };
        let client = Client::among(launch.neighbours.clone());
        let component = match constructor(&settings.component) {
            Constructor::Stateless(make) => make(client, &metrics)?,
            Constructor::Stateful(make) => {
                let backing = launch.backing;
                let backing = backing.ok_or_else(|| incomplete(&settings, "a log"))?;
                let context = Context {
                    store: open_store(&settings, &launch.clock, &backing).await?,
                    settings: Arc::clone(&settings),
                    clock: launch.clock,
                    client,
                    crash: launch.crash,
                    process: Uuid::now_v7(),
                    tasks: service.intake.clone(),
                };
                service.store = Some(Arc::clone(&context.store));
                let component = make(&context, &metrics)?;
                service.connect(&component, &context, &backing, &metrics);
                component
            }
        };
        service.serve(component, launch.listener, metrics, &launch.neighbours);
        Ok(service)
    }

    /// Starts the relay if events need one, and the consumer if the component reacts to events.
    fn connect(
        &mut self,
        component: &Component,
        context: &Context,
        backing: &Backing,
        metrics: &Metrics,
    ) {
        let log = match backing {
            Backing::Relayed(log) => {
                let relay = Relay::new(context, Arc::clone(log), metrics);
                let relaying = relay.run(self.outlet.stopping());
                self.outlet.spawn("relay", relaying);
                log
            }
            Backing::Shared { log, .. } => log,
        };
        if matches!(context.settings.log, Some(LogSettings::Kafka(_))) {
            self.repeat(Arc::new(LogWatch::new(
                Arc::clone(log),
                metrics,
                &self.transports,
            )));
        }
        self.add_admin(admin::parked_events::router(Arc::clone(&context.store)));
        if let Some(reactor) = component.reactor.clone() {
            if let Some(log) = &context.settings.log {
                self.health
                    .starting(format!("it waits for its share of {log}"));
            }
            let reception = Arc::new(Reception::new(context, reactor, EventType::KNOWN));
            let letters = Arc::new(DeadLetters::new(context, reception, metrics));
            let consumer = Consumer::new(
                context,
                Arc::clone(log),
                Arc::clone(&letters),
                self.health.clone(),
                metrics,
            );
            self.intake
                .spawn("consumer", consumer.run(TRY_FOR, self.intake.stopping()));
            self.repeat(Arc::new(Revision(Arc::clone(&letters))));
            self.has_dead_letters = true;
            self.add_admin(admin::dead_letters::router(letters));
        }
    }

    fn add_admin(&mut self, routes: Router) {
        self.admin = std::mem::take(&mut self.admin).merge(routes);
    }

    /// Whether its admin API has parked events.
    pub fn has_parked_events(&self) -> bool {
        self.store.is_some()
    }

    /// Whether its admin API has dead letters.
    pub fn has_dead_letters(&self) -> bool {
        self.has_dead_letters
    }

    fn serve(
        &self,
        component: Component,
        listener: Listener,
        metrics: Metrics,
        neighbours: &Neighbours,
    ) {
        if component.reactor.is_none() {
            self.health.started();
        }
        for chore in component.chores {
            self.repeat(chore);
        }
        if let Some(store) = self.store.clone() {
            let watch = DatabaseWatch::new(
                Arc::clone(&store),
                self.intake.clone(),
                &metrics,
                &self.transports,
            );
            self.repeat(Arc::new(watch));
            self.repeat(Arc::new(Pruning(store)));
        }
        let cors = component.cors.as_ref().map(cors::layer);
        let mut router = edge::around(component.router, metrics.clone());
        if let Some(cors) = &cors {
            router = cors::around(router, cors, metrics.clone());
        }
        let limits = Limits {
            drain_within: self.drain_within,
            ..Limits::default()
        };
        let neighbour = Neighbour::new(router.clone(), self.intake.clone(), self.drain_within);
        let unrouted = Unrouted {
            metrics: Some(metrics),
            cors,
        };
        let address = listener.local_addr();
        let joined = address.map(|address| neighbours.join(address, neighbour));
        let serving = server::serve(listener, router, self.intake.clone(), limits, unrouted);
        self.intake.spawn("http server", async move {
            serving.await;
            drop(joined);
        });
        self.health.ready(true);
    }

    fn repeat(&self, chore: Arc<dyn Chore>) {
        let rounds = repeat(chore, self.intake.clone());
        self.intake.spawn("chore", rounds);
    }

    /// Shuts the service down: it becomes unready, keeps serving for `leave_for`, takes no more
    /// work, finishes what it has begun, sends the last events and closes the database. `false` if
    /// something was not finished in time.
    pub async fn stop(self, leave_for: Duration) -> bool {
        let span = span(&self.name);
        self.end(leave_for).instrument(span).await
    }

    async fn end(self, leave_for: Duration) -> bool {
        let finished = shut_down(
            &self.intake,
            Pace {
                leave_for,
                drain_within: self.drain_within,
            },
        )
        .await;
        self.outlet.stop();
        let flushed = self.outlet.drain(FLUSH_WITHIN).await;
        if let Some(store) = self.store {
            store.close().await;
        }
        finished && flushed
    }
}

fn span(service: &str) -> tracing::Span {
    tracing::info_span!("service", service)
}

async fn open_store(
    settings: &ServiceSettings,
    clock: &Arc<dyn Clock>,
    backing: &Backing,
) -> Result<Arc<dyn Store>, StartError> {
    if let Backing::Shared { store, .. } = backing {
        return Ok(Arc::clone(store));
    }
    let database = settings.database.as_ref();
    let database = database.ok_or_else(|| incomplete(settings, "a database"))?;
    Ok(innkeeper_storage::open(database, Arc::clone(clock)).await?)
}

fn incomplete(settings: &ServiceSettings, missing: &'static str) -> StartError {
    StartError::Incomplete {
        service: settings.service.clone(),
        missing,
    }
}

async fn repeat(chore: Arc<dyn Chore>, lifecycle: Lifecycle) {
    let repeated = async {
        loop {
            if let Err(error) = chore.round().await {
                tracing::warn!(
                    chore = chore.name(),
                    error = causes(&error),
                    "a round failed; the next one comes"
                );
            }
            tokio::time::sleep(chore.every()).await;
        }
    };
    // A round that is cut off is like a crash: the next round continues.
    lifecycle.stopping().run_until_cancelled(repeated).await;
}

//! Chooses where events go and rows are kept, for the executor of the platform.

use std::path::PathBuf;

use innkeeper_contracts::settings::TlsMode;
use innkeeper_crds::BookingPlatform;
use innkeeper_crds::database::{Database, Postgres};
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_crds::platform::{Messaging, Service};
use innkeeper_crds::tls::{Tls, TlsSecrets};

use super::{Component, DatabaseChoice, LogChoice};
use crate::executor::{ClusterDefaults, Executor, LocalDefaults};
use crate::names;
use crate::refusal::Collector;

/// The log and the default database of a platform's services.
pub(super) struct Backing {
    pub log: LogChoice,
    rows: Rows,
    platform: Option<Database>,
}

enum Rows {
    File(PathBuf),
    Cluster { default: Option<Postgres> },
}

pub(super) fn backing(
    platform: &BookingPlatform,
    executor: &Executor,
    collector: &mut Collector,
) -> Backing {
    let spec = &platform.spec;
    let (log, rows) = match executor {
        Executor::Local(local) => on_this_machine(local, spec.incarnation),
        Executor::Cluster(cluster) => on_cluster(platform, cluster, collector),
    };
    Backing {
        log,
        rows,
        platform: spec.database.clone(),
    }
}

/// One file holds the rows and events of all services.
fn on_this_machine(local: &LocalDefaults, incarnation: u32) -> (LogChoice, Rows) {
    let file = local.data.join(names::platform_file(incarnation));
    (LogChoice::Sqlite(file.clone()), Rows::File(file))
}

fn on_cluster(
    platform: &BookingPlatform,
    cluster: &ClusterDefaults,
    collector: &mut Collector,
) -> (LogChoice, Rows) {
    let default = cluster.database.clone();
    let log = kafka(platform.spec.messaging.as_ref(), cluster, collector);
    (log, Rows::Cluster { default })
}

fn kafka(
    messaging: Option<&Messaging>,
    cluster: &ClusterDefaults,
    collector: &mut Collector,
) -> LogChoice {
    let messaging = messaging.cloned().unwrap_or_default();
    refuse_unused_secrets(messaging.security.tls.as_ref(), "spec.messaging", collector);
    if let Some(own) = messaging.bootstrap_servers {
        return LogChoice::Kafka {
            bootstrap_servers: own,
            security: messaging.security,
        };
    }
    if messaging.security != KafkaSecurity::default() {
        collector.refuse(
            "spec.messaging.bootstrapServers",
            "tls and sasl are for brokers that are named beside them: name these here, or leave tls and sasl out to reach the installation's brokers as the chart's values say",
        );
    } else if cluster.bootstrap_servers.is_none() {
        collector.refuse(
            "spec.messaging.bootstrapServers",
            "no Kafka is configured: name its brokers here, or as kafka.bootstrapServers in the chart's values",
        );
    }
    LogChoice::Kafka {
        bootstrap_servers: cluster.bootstrap_servers.clone().unwrap_or_default(),
        security: cluster.kafka.clone(),
    }
}

/// Refuses certificates for a connection without TLS.
fn refuse_unused_secrets(tls: Option<&Tls>, field_path: &str, collector: &mut Collector) {
    if tls.is_some_and(|it| it.mode == TlsMode::Disable && it.secrets != TlsSecrets::default()) {
        collector.refuse(
            format!("{field_path}.tls.mode"),
            "without TLS no certificate is used: choose another mode, or leave the Secrets out",
        );
    }
}

impl Backing {
    /// Where a service keeps its rows. Refuses a database that the executor cannot offer.
    pub(super) fn database(
        &self,
        service: &Service,
        component: &Component,
        field_path: &str,
        collector: &mut Collector,
    ) -> DatabaseChoice {
        if matches!(component, Component::Gateway(_)) {
            return DatabaseChoice::None;
        }
        match &self.rows {
            Rows::File(file) => DatabaseChoice::Sqlite(file.clone()),
            Rows::Cluster { default } => {
                self.postgres(service, default.as_ref(), field_path, collector)
            }
        }
    }

    fn postgres(
        &self,
        service: &Service,
        default: Option<&Postgres>,
        field_path: &str,
        collector: &mut Collector,
    ) -> DatabaseChoice {
        let (chosen, field_path) = match (&service.database, &self.platform) {
            (Some(own), _) => (Some(own), format!("{field_path}.database")),
            (None, Some(shared)) => (Some(shared), "spec.database".to_owned()),
            (None, None) => (None, format!("{field_path}.database")),
        };
        if chosen.is_some_and(|database| database.sqlite.is_some()) {
            collector.refuse(
                format!("{field_path}.sqlite"),
                "SQLite on a cluster needs volumes, which Innkeeper does not have yet: use postgres, or leave database out to take the installation's",
            );
            return DatabaseChoice::None;
        }
        let postgres = chosen.and_then(|database| database.postgres.as_ref());
        let tls = postgres.and_then(|it| it.tls.as_ref());
        refuse_unused_secrets(tls, &format!("{field_path}.postgres"), collector);
        if let Some(postgres) = postgres.or(default) {
            return DatabaseChoice::Postgres(postgres.clone());
        }
        collector.refuse(
            field_path,
            "no database is configured: name one here or in spec.database, or as database.postgres in the chart's values",
        );
        DatabaseChoice::None
    }
}

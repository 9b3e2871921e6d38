//! The settings file of a service: what its process reads, with default values left out.

mod component;

use std::path::PathBuf;

use innkeeper_contracts::pod::DATABASE_SECRET_DIR;
use innkeeper_contracts::settings::{
    Aliases, Database, Kafka, Log, Postgres, ServiceSettings, SqliteFile, SqliteLog,
};
use innkeeper_crds::domain_service::{ResolvedDatabase, ResolvedLog};
use innkeeper_crds::{DomainService, DomainServiceSpec};

/// Seconds that a service may take to finish what it has begun, unless told otherwise.
pub const DEFAULT_DRAIN_SECONDS: u32 = 20;

/// The settings of a service; `None` when its spec has no component, which the API server refuses.
pub fn settings(service: &DomainService) -> Option<ServiceSettings> {
    let spec = &service.spec;
    Some(ServiceSettings {
        namespace: service.metadata.namespace.clone().unwrap_or_default(),
        platform: spec.platform.clone(),
        incarnation: spec.incarnation,
        service: service.metadata.name.clone().unwrap_or_default(),
        path: spec.path.clone().unwrap_or_default(),
        aliases: aliases(spec),
        component: component::component(spec)?,
        database: spec.database.as_ref().and_then(database),
        log: spec.log.as_ref().and_then(log),
        drain_seconds: drain_seconds(spec),
        config: spec
            .workload
            .config
            .as_ref()
            .map(|config| config.env.clone())
            .unwrap_or_default(),
    })
}

fn aliases(spec: &DomainServiceSpec) -> Aliases {
    let aliases = spec.aliases.clone().unwrap_or_default();
    Aliases {
        create: aliases.create,
        list: aliases.list,
        update: aliases.update,
    }
}

/// Seconds that a service may take to finish what it has begun.
pub fn drain_seconds(spec: &DomainServiceSpec) -> u32 {
    spec.workload
        .rollout
        .as_ref()
        .and_then(|rollout| rollout.drain_time)
        .and_then(|time| u32::try_from(time.as_seconds()).ok())
        .unwrap_or(DEFAULT_DRAIN_SECONDS)
}

fn database(database: &ResolvedDatabase) -> Option<Database> {
    let sqlite = database.sqlite.as_ref().map(|sqlite| {
        Database::Sqlite(SqliteFile {
            file: PathBuf::from(&sqlite.file),
        })
    });
    sqlite.or_else(|| {
        let postgres = database.postgres.as_ref()?;
        Some(Database::Postgres(Postgres {
            host: postgres.host.clone(),
            port: postgres.port,
            database: postgres.database.clone(),
            schema: postgres.schema.clone(),
            credentials_dir: PathBuf::from(DATABASE_SECRET_DIR),
        }))
    })
}

fn log(log: &ResolvedLog) -> Option<Log> {
    let sqlite = log.sqlite.as_ref().map(|sqlite| {
        Log::Sqlite(SqliteLog {
            file: PathBuf::from(&sqlite.file),
            topic: sqlite.topic.clone(),
            group: sqlite.group.clone(),
        })
    });
    sqlite.or_else(|| {
        let kafka = log.kafka.as_ref()?;
        Some(Log::Kafka(Kafka {
            bootstrap_servers: kafka.bootstrap_servers.clone(),
            topic: kafka.topic.clone(),
            group: kafka.group.clone(),
        }))
    })
}

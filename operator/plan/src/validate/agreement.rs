//! Checks that the settings of a DomainService agree with the rest of its spec. Its process reads
//! nothing but the settings.

use std::path::Path;

use innkeeper_contracts::pod::DATABASE_SECRET_DIR;
use innkeeper_contracts::settings::Database;
use innkeeper_crds::DomainService;

use crate::refusal::Collector;

pub(super) fn check(service: &DomainService, collector: &mut Collector) {
    let (metadata, settings) = (&service.metadata, &service.spec.settings);
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let seconds = service.spec.workload.drain_seconds();
    let mounted = match &settings.database {
        Some(Database::Postgres(it)) => it.credentials_dir == Path::new(DATABASE_SECRET_DIR),
        Some(Database::Sqlite(_)) | None => true,
    };
    let agreements = [
        (
            "namespace",
            settings.namespace == namespace,
            format!("say {namespace}, as metadata.namespace does"),
        ),
        (
            "service",
            settings.service == name,
            format!("say {name}, as metadata.name does"),
        ),
        (
            "drainSeconds",
            settings.drain_seconds == seconds,
            format!("say {seconds}, which is spec.rollout.drainTime or its default"),
        ),
        (
            "config",
            settings.config == service.spec.workload.environment(),
            "say the same as spec.config.env".to_owned(),
        ),
        (
            "database.postgres.credentialsDir",
            mounted,
            format!("say {DATABASE_SECRET_DIR}, where the Secret is mounted"),
        ),
    ];
    for (setting, agrees, remedy) in agreements {
        if !agrees {
            collector.refuse(format!("spec.settings.{setting}"), remedy);
        }
    }
}

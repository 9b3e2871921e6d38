//! Checks that the settings of a DomainService agree with the rest of its spec. Its process reads
//! nothing but the settings.

use std::path::Path;

use innkeeper_contracts::pod::{DATABASE_CA_FILE, DATABASE_CLIENT_DIR, DATABASE_SECRET_DIR};
use innkeeper_contracts::settings::{Database, Postgres};
use innkeeper_crds::DomainService;

use crate::refusal::Collector;

pub(super) fn check(service: &DomainService, collector: &mut Collector) {
    let (metadata, settings) = (&service.metadata, &service.spec.settings);
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let seconds = service.spec.workload.drain_seconds();
    let postgres = match &settings.database {
        Some(Database::Postgres(postgres)) => Some(postgres),
        Some(Database::Sqlite(_)) | None => None,
    };
    let is_mounted = |it: &Postgres| it.credentials_dir == Path::new(DATABASE_SECRET_DIR);
    let tls = postgres.and_then(|it| it.tls.as_ref());
    let secrets = service.spec.database_tls.clone().unwrap_or_default();
    let ca_file = secrets.ca_secret_ref.map(|_| Path::new(DATABASE_CA_FILE));
    let client_dir = secrets
        .client_secret_ref
        .map(|_| Path::new(DATABASE_CLIENT_DIR));
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
            postgres.is_none_or(is_mounted),
            format!("say {DATABASE_SECRET_DIR}, where the Secret is mounted"),
        ),
        (
            "database.postgres.tls.caFile",
            tls.and_then(|it| it.ca_file.as_deref()) == ca_file,
            format!(
                "say {DATABASE_CA_FILE} if spec.databaseTls.caSecretRef is given, else nothing"
            ),
        ),
        (
            "database.postgres.tls.clientCertificateDir",
            tls.and_then(|it| it.client_certificate_dir.as_deref()) == client_dir,
            format!(
                "say {DATABASE_CLIENT_DIR} if spec.databaseTls.clientSecretRef is given, else nothing"
            ),
        ),
    ];
    for (setting, agrees, remedy) in agreements {
        if !agrees {
            collector.refuse(format!("spec.settings.{setting}"), remedy);
        }
    }
}

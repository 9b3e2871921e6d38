//! Checks that the settings of a DomainService agree with the rest of its spec. Its process reads
//! nothing but the settings.

use std::path::Path;

use innkeeper_contracts::pod::{DATABASE_CA_FILE, DATABASE_CLIENT_DIR, DATABASE_SECRET_DIR};
use innkeeper_contracts::settings::{Database, TlsMode};
use innkeeper_crds::DomainService;

use crate::refusal::Collector;

/// A setting, whether it agrees, and what to say otherwise.
type Agreement = (&'static str, bool, String);

pub(super) fn check(service: &DomainService, collector: &mut Collector) {
    for (setting, agrees, remedy) in own(service).into_iter().chain(of_database(service)) {
        if !agrees {
            collector.refuse(format!("spec.settings.{setting}"), remedy);
        }
    }
}

fn own(service: &DomainService) -> [Agreement; 4] {
    let (metadata, settings) = (&service.metadata, &service.spec.settings);
    let namespace = metadata.namespace.as_deref().unwrap_or_default();
    let name = metadata.name.as_deref().unwrap_or_default();
    let seconds = service.spec.workload.drain_seconds();
    [
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
    ]
}

/// What is mounted must be where the process looks for it.
fn of_database(service: &DomainService) -> Vec<Agreement> {
    let Some(Database::Postgres(postgres)) = &service.spec.settings.database else {
        return Vec::new();
    };
    let tls = postgres.tls.as_ref();
    let secrets = service.spec.database_tls.clone().unwrap_or_default();
    let ca_file = secrets.ca_secret_ref.map(|_| Path::new(DATABASE_CA_FILE));
    let client_dir = secrets
        .client_secret_ref
        .map(|_| Path::new(DATABASE_CLIENT_DIR));
    let is_off = tls.is_some_and(|tls| tls.mode == TlsMode::Disable);
    vec![
        (
            "database.postgres.tls.mode",
            !is_off || service.spec.database_tls.is_none(),
            "say another one than Disable, or leave spec.databaseTls out".to_owned(),
        ),
        (
            "database.postgres.credentialsDir",
            postgres.credentials_dir == Path::new(DATABASE_SECRET_DIR),
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
    ]
}

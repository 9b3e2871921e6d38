//! Checks that the settings of a DomainService agree with the rest of its spec. Its process reads
//! nothing but the settings.

use std::path::Path;

use innkeeper_contracts::pod::{
    DATABASE_CA_FILE, DATABASE_CLIENT_DIR, DATABASE_SECRET_DIR, KAFKA_CA_FILE, KAFKA_CLIENT_DIR,
    KAFKA_SECRET_DIR,
};
use innkeeper_contracts::settings::{Database, Log, Tls};
use innkeeper_crds::DomainService;
use innkeeper_crds::tls::TlsSecrets;

use crate::refusal::Collector;

/// A setting, whether it agrees, and what to say otherwise.
type Agreement = (String, bool, String);

pub(super) fn check(service: &DomainService, collector: &mut Collector) {
    let own = own(service).into_iter();
    let backing = of_database(service).into_iter().chain(of_kafka(service));
    for (setting, agrees, remedy) in own.chain(backing) {
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
            "namespace".to_owned(),
            settings.namespace == namespace,
            format!("say {namespace}, as metadata.namespace does"),
        ),
        (
            "service".to_owned(),
            settings.service == name,
            format!("say {name}, as metadata.name does"),
        ),
        (
            "drainSeconds".to_owned(),
            settings.drain_seconds == seconds,
            format!("say {seconds}, which is spec.rollout.drainTime or its default"),
        ),
        (
            "config".to_owned(),
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
    let mounted = Mounted {
        setting: "database.postgres",
        field: "databaseTls",
        secrets: service.spec.database_tls.as_ref(),
        ca_file: DATABASE_CA_FILE,
        client_dir: DATABASE_CLIENT_DIR,
    };
    let mut agreements = of_tls(postgres.tls.as_ref(), &mounted);
    agreements.push((
        "database.postgres.credentialsDir".to_owned(),
        postgres.credentials_dir == Path::new(DATABASE_SECRET_DIR),
        format!("say {DATABASE_SECRET_DIR}, where the Secret is mounted"),
    ));
    agreements
}

fn of_kafka(service: &DomainService) -> Vec<Agreement> {
    let Some(Log::Kafka(kafka)) = &service.spec.settings.log else {
        let spec = &service.spec;
        return vec![(
            "log".to_owned(),
            spec.kafka_secret.is_none() && spec.kafka_tls.is_none(),
            "name a topic of Kafka, or leave spec.kafkaSecret and spec.kafkaTls out".to_owned(),
        )];
    };
    let mounted = Mounted {
        setting: "log.kafka",
        field: "kafkaTls",
        secrets: service.spec.kafka_tls.as_ref(),
        ca_file: KAFKA_CA_FILE,
        client_dir: KAFKA_CLIENT_DIR,
    };
    let mut agreements = of_tls(kafka.tls.as_ref(), &mounted);
    let folder = kafka.sasl.as_ref().map(|it| it.credentials_dir.as_path());
    let secret = service.spec.kafka_secret.as_ref();
    agreements.push((
        "log.kafka.sasl.credentialsDir".to_owned(),
        folder == secret.map(|_| Path::new(KAFKA_SECRET_DIR)),
        format!("say {KAFKA_SECRET_DIR} if spec.kafkaSecret is given, else leave sasl out"),
    ));
    agreements
}

/// Where the certificates for a connection are mounted.
struct Mounted<'a> {
    /// The setting with the connection.
    setting: &'static str,
    /// The field of the spec that names the Secrets.
    field: &'static str,
    secrets: Option<&'a TlsSecrets>,
    ca_file: &'static str,
    client_dir: &'static str,
}

fn of_tls(tls: Option<&Tls>, mounted: &Mounted) -> Vec<Agreement> {
    let Mounted {
        setting,
        field,
        secrets,
        ca_file,
        client_dir,
    } = mounted;
    let is_off = tls.is_some_and(|tls| !tls.is_on());
    let authority = secrets.and_then(|it| it.ca_secret_ref.as_ref());
    let client = secrets.and_then(|it| it.client_secret_ref.as_ref());
    vec![
        (
            format!("{setting}.tls.mode"),
            !is_off || secrets.is_none(),
            format!("say another one than Disable, or leave spec.{field} out"),
        ),
        (
            format!("{setting}.tls.caFile"),
            tls.and_then(|it| it.ca_file.as_deref()) == authority.map(|_| Path::new(ca_file)),
            format!("say {ca_file} if spec.{field}.caSecretRef is given, else nothing"),
        ),
        (
            format!("{setting}.tls.clientCertificateDir"),
            tls.and_then(|it| it.client_certificate_dir.as_deref())
                == client.map(|_| Path::new(client_dir)),
            format!("say {client_dir} if spec.{field}.clientSecretRef is given, else nothing"),
        ),
    ]
}

//! Validates a platform as a whole. All mistakes are collected, and what follows cannot fail.

mod agreement;
mod backing;
mod component;
mod labels;
mod names;
mod order;
mod references;
mod release;
mod topic;
mod view;
mod words;
mod workload;

use std::path::PathBuf;

use innkeeper_contracts::settings::{Aliases, Column};
use innkeeper_crds::component::{Booking, Fulfillment, Gateway, Payment};
use innkeeper_crds::database::Postgres;
use innkeeper_crds::event_topic::{DEFAULT_PARTITIONS, DeletionPolicy, TopicConfig};
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_crds::platform::Service;
use innkeeper_crds::workload::Workload;
use innkeeper_crds::{BookingPlatform, DomainService, Duration};

use crate::executor::{ClusterDefaults, Executor};
use crate::refusal::{Collector, Refusals, Refuser};

/// A platform in which every reference leads to something.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedPlatform {
    /// Name of the platform.
    pub name: String,
    /// Namespace of the platform.
    pub namespace: String,
    /// Incarnation of the platform.
    pub incarnation: u32,
    /// ISO 4217 code of all amounts.
    pub currency: Option<String>,
    /// The image that the owner chose, or that was pinned when the platform was first observed.
    pub image: Option<String>,
    /// The topic of the platform.
    pub topic: ValidatedTopic,
    /// Where the events go.
    pub log: LogChoice,
    /// The services, callees before their callers.
    pub services: Vec<ValidatedService>,
}

/// The topic of a platform.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedTopic {
    /// Name of the topic in Kafka, if the platform gives one.
    pub name: Option<String>,
    pub partitions: u32,
    /// Number of replicas; the brokers' default if absent.
    pub replication: Option<u32>,
    /// The settings of the topic.
    pub config: Option<TopicConfig>,
    /// What happens to the topic when the platform is deleted.
    pub deletion_policy: DeletionPolicy,
}

/// Where a platform's events go.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum LogChoice {
    /// A topic of Kafka.
    Kafka {
        /// The brokers: `host:port`, separated by commas.
        bootstrap_servers: String,
        /// How the services reach them.
        security: KafkaSecurity,
    },
    /// An SQLite file on this machine.
    Sqlite(PathBuf),
}

impl LogChoice {
    /// The Kafka brokers, unless the log is a file.
    pub fn bootstrap_servers(&self) -> Option<&str> {
        match self {
            Self::Kafka {
                bootstrap_servers, ..
            } => Some(bootstrap_servers),
            Self::Sqlite(_) => None,
        }
    }
}

/// One service of a validated platform.
#[derive(Clone, Debug, PartialEq)]
pub struct ValidatedService {
    /// Name of the service.
    pub name: String,
    /// Path of the service; a gateway has none.
    pub path: Option<String>,
    /// Further paths of the service.
    pub aliases: Option<Aliases>,
    /// The services that it calls, with a timeout for each.
    pub calls: Vec<ValidatedCall>,
    /// What the service is.
    pub component: Component,
    /// Where the service keeps its rows.
    pub database: DatabaseChoice,
    /// Port of the service in `innkeeper dev`, if one is given.
    pub dev_port: Option<u16>,
    /// How the service runs on a cluster.
    pub workload: Workload,
}

/// A call to a service that exists.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ValidatedCall {
    /// Name of the called service.
    pub service: String,
    /// How long the caller waits.
    pub timeout: Duration,
}

/// The component of a service.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Component {
    Gateway(Gateway),
    Booking(Booking),
    Payment(Payment),
    /// Delivers what was paid.
    Fulfillment(Fulfillment),
    /// Shows sagas, with its columns in canonical words.
    View(Vec<Column>),
}

/// Where a service keeps its rows.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum DatabaseChoice {
    /// The service has no database.
    None,
    /// An SQLite file on this machine.
    Sqlite(PathBuf),
    /// A schema of its own in a PostgreSQL database.
    Postgres(Postgres),
}

/// Validates a platform as a whole, for its executor. Refuses with everything that is wrong.
pub fn validate(
    platform: &BookingPlatform,
    executor: &Executor,
) -> Result<ValidatedPlatform, Refusals> {
    let spec = &platform.spec;
    let mut collector = Collector::new(Refuser::Validate);
    names::check(platform, &mut collector);
    references::check(spec, &mut collector);
    words::check(spec, &mut collector);
    labels::check(spec, &mut collector);
    release::check(platform, executor, &mut collector);
    workload::check(spec, &mut collector);
    topic::check(spec, &mut collector);
    let backing = backing::backing(platform, executor, &mut collector);
    let services = spec
        .services
        .iter()
        .enumerate()
        .filter_map(|(index, service)| {
            validated_service(platform, index, service, &backing, &mut collector)
        })
        .collect();
    let services = order::callees_first(services, &mut collector);
    let name = platform.metadata.name.clone().unwrap_or_default();
    collector.finish(ValidatedPlatform {
        topic: topic(platform),
        name,
        namespace: namespace(platform),
        incarnation: spec.incarnation,
        currency: spec.currency.clone(),
        image: pinned_image(platform),
        log: backing.log,
        services,
    })
}

/// Validates a service on a cluster that may not come from a platform. It checks what the schema
/// cannot: that the image knows every field, that the settings agree with the rest of the spec, and
/// that clients can give every command.
pub fn validate_service(
    service: &DomainService,
    installation: &ClusterDefaults,
) -> Result<(), Refusals> {
    let mut collector = Collector::new(Refuser::Validate);
    agreement::check(service, &mut collector);
    labels::check_service(service, &mut collector);
    release::check_service(service, &installation.image, &mut collector);
    collector.finish(())
}

fn validated_service(
    platform: &BookingPlatform,
    index: usize,
    service: &Service,
    backing: &backing::Backing,
    collector: &mut Collector,
) -> Option<ValidatedService> {
    let field_path = format!("spec.services[{index}]");
    let component = component::component(platform, service, &field_path, collector)?;
    Some(ValidatedService {
        name: service.name.clone(),
        path: service.path.clone(),
        aliases: service.aliases.clone(),
        calls: references::calls(service),
        database: backing.database(service, &component, &field_path, collector),
        component,
        dev_port: service.dev.as_ref().and_then(|dev| dev.port),
        workload: service.workload.clone(),
    })
}

fn topic(platform: &BookingPlatform) -> ValidatedTopic {
    let messaging = platform.spec.messaging.as_ref();
    let topic = messaging.and_then(|messaging| messaging.topic.clone());
    let topic = topic.unwrap_or_default();
    ValidatedTopic {
        name: topic.name,
        partitions: topic.partitions.unwrap_or(DEFAULT_PARTITIONS),
        replication: topic.replication,
        config: topic.config,
        deletion_policy: topic.deletion_policy,
    }
}

fn namespace(platform: &BookingPlatform) -> String {
    platform
        .metadata
        .namespace
        .clone()
        .unwrap_or_else(|| "default".to_owned())
}

fn pinned_image(platform: &BookingPlatform) -> Option<String> {
    let seen = platform
        .status
        .as_ref()
        .and_then(|status| status.image.clone());
    platform.spec.image.clone().or(seen)
}

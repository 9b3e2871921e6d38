//! Resolves one service of a platform.

use std::collections::BTreeMap;
use std::path::PathBuf;

use innkeeper_contracts::pod::{
    DATABASE_CA_FILE, DATABASE_CLIENT_DIR, DATABASE_SECRET_DIR, KAFKA_CA_FILE, KAFKA_CLIENT_DIR,
    KAFKA_SECRET_DIR,
};
use innkeeper_contracts::settings::{
    self, Aliases, BookingAddress, Database, Kafka, Log, PaymentCall, Postgres, Route, Sasl,
    ServiceSettings, SqliteFile, SqliteLog,
};
use innkeeper_crds::component::{Booking, BookingPayment, Cors, ServiceType};
use innkeeper_crds::kafka::KafkaSecurity;
use innkeeper_crds::tls::{Tls, TlsSecrets};
use innkeeper_crds::{DomainService, DomainServiceSpec};

use crate::executor::Executor;
use crate::names::{self, ServiceIncarnation};
use crate::release::BOOKING_ADDRESSES;
use crate::validate::{Component, DatabaseChoice, LogChoice, ValidatedPlatform, ValidatedService};

/// Image name of services that run in this process.
const LOCAL_IMAGE: &str = "innkeeper:dev";

/// Milliseconds that a service has for its own work, besides its calls.
const ROUTE_MARGIN_MS: u64 = 2_000;

/// What every service of a platform is resolved with.
pub(super) struct ExpandContext<'a> {
    pub platform: &'a ValidatedPlatform,
    pub executor: &'a Executor,
    pub addresses: &'a BTreeMap<String, String>,
    pub topic: &'a str,
}

pub(super) fn domain_service(ctx: &ExpandContext, service: &ValidatedService) -> DomainService {
    let platform = ctx.platform;
    let settings = settings(ctx, service);
    let labels = names::labels(&platform.name, &service.name, settings.component.name());
    DomainService {
        metadata: super::metadata(platform, service.name.clone(), Some(labels)),
        spec: DomainServiceSpec {
            image: image(ctx),
            settings,
            waits_for: service.calls.iter().map(|it| it.service.clone()).collect(),
            database_secret: database_secret(service),
            database_tls: database_tls(service),
            kafka_secret: kafka_security(ctx, service)
                .and_then(|it| Some(it.sasl.as_ref()?.secret_ref.name.clone())),
            kafka_tls: kafka_security(ctx, service).and_then(|it| secrets(it.tls.as_ref())),
            service_type: service_type(service),
            workload: service.workload.clone(),
        },
        status: None,
    }
}

fn image(ctx: &ExpandContext) -> String {
    let pinned = ctx.platform.image.clone();
    match ctx.executor {
        Executor::Cluster(cluster) => pinned.unwrap_or_else(|| cluster.image.clone()),
        Executor::Local(_) => LOCAL_IMAGE.to_owned(),
    }
}

fn settings(ctx: &ExpandContext, service: &ValidatedService) -> ServiceSettings {
    let platform = ctx.platform;
    ServiceSettings {
        namespace: platform.namespace.clone(),
        platform: platform.name.clone(),
        incarnation: platform.incarnation,
        service: service.name.clone(),
        path: service.path.clone().unwrap_or_default(),
        aliases: service.aliases.clone().unwrap_or_default(),
        component: component(ctx, service),
        database: database(ctx, service),
        log: log(ctx, service),
        drain_seconds: service.workload.drain_seconds(),
        config: service.workload.environment(),
    }
}

fn component(ctx: &ExpandContext, service: &ValidatedService) -> settings::Component {
    let platform = ctx.platform;
    match &service.component {
        Component::Gateway(gateway) => settings::Component::Gateway(settings::Gateway {
            routes: routes(ctx),
            cors: gateway.cors.as_ref().map(Cors::settings),
        }),
        Component::Booking(booking) => {
            let call = payment_call(ctx, service, booking);
            settings::Component::Booking(booking.settings(platform.currency.clone(), call))
        }
        Component::Payment(payment) => {
            let served = paid_by(platform, &service.name);
            let paid = served.first().map(|served| served.payment);
            let bookings = served.iter().map(|served| served.name.clone()).collect();
            let addresses = booking_addresses(ctx, &served);
            settings::Component::Payment(payment.settings(bookings, paid, addresses))
        }
        Component::Fulfillment(fulfillment) => {
            let payments = names_of(platform, |it| matches!(it, Component::Payment(_)));
            let bookings = names_of(platform, |it| matches!(it, Component::Booking(_)));
            settings::Component::Fulfillment(fulfillment.settings(payments, bookings))
        }
        Component::View(columns) => settings::Component::View(settings::View {
            columns: columns.clone(),
        }),
    }
}

fn routes(ctx: &ExpandContext) -> Vec<Route> {
    let services = ctx.platform.services.iter();
    services
        .filter_map(|service| {
            let path = service.path.clone()?;
            let aliases = service.aliases.iter().flat_map(Aliases::paths);
            Some(Route {
                service: service.name.clone(),
                paths: std::iter::once(path)
                    .chain(aliases.map(str::to_owned))
                    .collect(),
                address: address(ctx, &service.name),
                timeout_ms: route_timeout_ms(service),
            })
        })
        .collect()
}

/// Milliseconds that a gateway waits for a service: longer than all calls that the service may make
/// for one request, so that the service itself answers that a callee is away.
fn route_timeout_ms(service: &ValidatedService) -> u64 {
    let calls = service.calls.iter().map(|call| call.timeout.as_millis());
    let longest = calls.fold(ROUTE_MARGIN_MS, u64::saturating_add);
    longest.clamp(
        settings::DEFAULT_ROUTE_TIMEOUT_MS.into(),
        settings::MAX_ROUTE_TIMEOUT_MS,
    )
}

fn address(ctx: &ExpandContext, service: &str) -> String {
    ctx.addresses.get(service).cloned().unwrap_or_default()
}

fn payment_call(
    ctx: &ExpandContext,
    service: &ValidatedService,
    block: &Booking,
) -> Option<PaymentCall> {
    let payment = block.payment.as_ref()?;
    let mut calls = service.calls.iter();
    let call = calls.find(|call| call.service == payment.service)?;
    Some(PaymentCall {
        service: payment.service.clone(),
        address: address(ctx, &payment.service),
        when: payment.when,
        timeout_ms: call.timeout.as_millis(),
    })
}

/// A booking service that a payment service serves.
struct Served<'a> {
    name: &'a String,
    block: &'a Booking,
    payment: &'a BookingPayment,
}

/// The booking services that a payment service serves.
fn paid_by<'a>(platform: &'a ValidatedPlatform, name: &str) -> Vec<Served<'a>> {
    let services = platform.services.iter();
    let served = services.filter_map(|other| match &other.component {
        Component::Booking(block) => {
            let payment = block.payment.as_ref().filter(|it| it.service == name)?;
            Some(Served {
                name: &other.name,
                block,
                payment,
            })
        }
        _ => None,
    });
    served.collect()
}

/// Where a payment service asks what became of a booking. An image of an earlier release would
/// refuse its settings if they said so, and asks nobody.
fn booking_addresses(ctx: &ExpandContext, served: &[Served]) -> Vec<BookingAddress> {
    let is_known = match ctx.executor {
        Executor::Cluster(cluster) => BOOKING_ADDRESSES.is_known_to(&image(ctx), &cluster.image),
        Executor::Local(_) => true,
    };
    let served = served.iter().filter(|_| is_known);
    served
        .map(|served| BookingAddress {
            service: served.name.clone(),
            address: address(ctx, served.name),
            pending_timeout_seconds: served.block.pending_timeout_seconds(),
        })
        .collect()
}

fn names_of(platform: &ValidatedPlatform, wanted: impl Fn(&Component) -> bool) -> Vec<String> {
    let services = platform.services.iter();
    services
        .filter(|service| wanted(&service.component))
        .map(|service| service.name.clone())
        .collect()
}

fn incarnation<'a>(
    ctx: &ExpandContext<'a>,
    service: &'a ValidatedService,
) -> ServiceIncarnation<'a> {
    ServiceIncarnation {
        namespace: &ctx.platform.namespace,
        platform: &ctx.platform.name,
        service: &service.name,
        incarnation: ctx.platform.incarnation,
    }
}

fn database(ctx: &ExpandContext, service: &ValidatedService) -> Option<Database> {
    match &service.database {
        DatabaseChoice::None => None,
        DatabaseChoice::Sqlite(file) => Some(Database::Sqlite(SqliteFile { file: file.clone() })),
        DatabaseChoice::Postgres(postgres) => Some(Database::Postgres(Postgres {
            host: postgres.host.clone(),
            port: postgres.port,
            database: postgres.database.clone(),
            schema: names::schema(incarnation(ctx, service)),
            credentials_dir: PathBuf::from(DATABASE_SECRET_DIR),
            tls: postgres
                .tls
                .as_ref()
                .map(|it| tls(it, DATABASE_CA_FILE, DATABASE_CLIENT_DIR)),
        })),
    }
}

/// The settings for TLS, with the certificates where a pod finds them.
fn tls(tls: &Tls, ca_file: &str, client_dir: &str) -> settings::Tls {
    let Tls { mode, secrets } = tls;
    let TlsSecrets {
        ca_secret_ref,
        client_secret_ref,
    } = secrets;
    settings::Tls {
        mode: *mode,
        ca_file: ca_secret_ref.as_ref().map(|_| PathBuf::from(ca_file)),
        client_certificate_dir: client_secret_ref
            .as_ref()
            .map(|_| PathBuf::from(client_dir)),
    }
}

/// Where the certificates are, if any are needed.
fn secrets(tls: Option<&Tls>) -> Option<TlsSecrets> {
    let secrets = tls.map(|tls| tls.secrets.clone());
    secrets.filter(|secrets| *secrets != TlsSecrets::default())
}

fn database_tls(service: &ValidatedService) -> Option<TlsSecrets> {
    let DatabaseChoice::Postgres(postgres) = &service.database else {
        return None;
    };
    secrets(postgres.tls.as_ref())
}

/// How a service reaches Kafka; `None` if it does not.
fn kafka_security<'a>(
    ctx: &ExpandContext<'a>,
    service: &ValidatedService,
) -> Option<&'a KafkaSecurity> {
    match &ctx.platform.log {
        _ if matches!(service.component, Component::Gateway(_)) => None,
        LogChoice::Kafka { security, .. } => Some(security),
        LogChoice::Sqlite(_) => None,
    }
}

fn database_secret(service: &ValidatedService) -> Option<String> {
    match &service.database {
        DatabaseChoice::Postgres(postgres) => Some(postgres.secret_ref.name.clone()),
        DatabaseChoice::None | DatabaseChoice::Sqlite(_) => None,
    }
}

fn log(ctx: &ExpandContext, service: &ValidatedService) -> Option<Log> {
    if matches!(service.component, Component::Gateway(_)) {
        return None;
    }
    let topic = ctx.topic.to_owned();
    let group = names::consumer_group(incarnation(ctx, service));
    Some(match &ctx.platform.log {
        LogChoice::Kafka {
            bootstrap_servers,
            security,
        } => Log::Kafka(Kafka {
            bootstrap_servers: bootstrap_servers.clone(),
            topic,
            group,
            tls: security
                .tls
                .as_ref()
                .map(|it| tls(it, KAFKA_CA_FILE, KAFKA_CLIENT_DIR)),
            sasl: security.sasl.as_ref().map(|it| Sasl {
                mechanism: it.mechanism,
                credentials_dir: PathBuf::from(KAFKA_SECRET_DIR),
            }),
        }),
        LogChoice::Sqlite(file) => Log::Sqlite(SqliteLog {
            file: file.clone(),
            topic,
            group,
        }),
    })
}

fn service_type(service: &ValidatedService) -> ServiceType {
    match &service.component {
        Component::Gateway(gateway) => gateway.service_type,
        _ => ServiceType::default(),
    }
}

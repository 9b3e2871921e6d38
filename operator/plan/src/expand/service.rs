//! One service of a platform, fully resolved.

use std::collections::BTreeMap;
use std::path::Path;

use innkeeper_crds::component::{Fulfillment, Payment, PaymentTime};
use innkeeper_crds::domain_service::{
    Callee, KafkaLog, ResolvedDatabase, ResolvedFulfillment, ResolvedGateway, ResolvedLog,
    ResolvedPayment, ResolvedPostgres, ResolvedSqlite, ResolvedView, Route, SqliteLog,
};
use innkeeper_crds::{DomainService, DomainServiceSpec};

use crate::executor::Executor;
use crate::names::{self, ServiceLife};
use crate::validate::{Component, DatabaseChoice, LogChoice, ValidatedPlatform, ValidatedService};

/// Image of services that run in this very process.
const LOCAL_IMAGE: &str = "innkeeper:dev";

/// What every service of a platform is resolved against.
pub(super) struct Place<'a> {
    pub platform: &'a ValidatedPlatform,
    pub executor: &'a Executor,
    pub addresses: &'a BTreeMap<String, String>,
}

pub(super) fn domain_service(place: &Place, service: &ValidatedService) -> DomainService {
    let platform = place.platform;
    let labels = names::labels(&platform.name, &service.name, service.component.name());
    DomainService {
        metadata: super::metadata(platform, service.name.clone(), Some(labels)),
        spec: with_component(place, service, base(place, service)),
        status: None,
    }
}

fn base(place: &Place, service: &ValidatedService) -> DomainServiceSpec {
    let platform = place.platform;
    DomainServiceSpec {
        platform: platform.name.clone(),
        incarnation: platform.incarnation,
        image: image(place),
        currency: platform.currency.clone(),
        path: service.path.clone(),
        aliases: service.aliases.clone(),
        callees: callees(place, service),
        database: database(place, service),
        log: log(place, service),
        workload: service.workload.clone(),
        ..DomainServiceSpec::default()
    }
}

fn with_component(
    place: &Place,
    service: &ValidatedService,
    mut spec: DomainServiceSpec,
) -> DomainServiceSpec {
    match &service.component {
        Component::Gateway(gateway) => {
            spec.gateway = Some(ResolvedGateway {
                service_type: gateway.service_type,
                routes: routes(place),
            });
        }
        Component::Booking(booking) => spec.booking = Some(booking.clone()),
        Component::Payment(payment) => {
            spec.payment = Some(resolved_payment(place.platform, service, payment));
        }
        Component::Fulfillment(fulfillment) => {
            spec.fulfillment = Some(resolved_fulfillment(place.platform, fulfillment));
        }
        Component::View(columns) => {
            spec.view = Some(ResolvedView {
                columns: columns.clone(),
            });
        }
    }
    spec
}

fn image(place: &Place) -> String {
    let pinned = place.platform.image.clone();
    match place.executor {
        Executor::Cluster(cluster) => pinned.unwrap_or_else(|| cluster.image.clone()),
        Executor::Local(_) => LOCAL_IMAGE.to_owned(),
    }
}

fn callees(place: &Place, service: &ValidatedService) -> Vec<Callee> {
    service
        .calls
        .iter()
        .map(|call| Callee {
            service: call.service.clone(),
            address: address(place, &call.service),
            timeout: call.timeout,
        })
        .collect()
}

fn address(place: &Place, service: &str) -> String {
    place.addresses.get(service).cloned().unwrap_or_default()
}

fn routes(place: &Place) -> Vec<Route> {
    place
        .platform
        .services
        .iter()
        .filter_map(|service| {
            let path = service.path.clone()?;
            let aliases = service.aliases.iter().flat_map(|aliases| {
                [&aliases.create, &aliases.list, &aliases.update]
                    .into_iter()
                    .flatten()
                    .cloned()
            });
            Some(Route {
                service: service.name.clone(),
                paths: std::iter::once(path).chain(aliases).collect(),
                address: address(place, &service.name),
                timeout: None,
            })
        })
        .collect()
}

fn resolved_payment(
    platform: &ValidatedPlatform,
    service: &ValidatedService,
    block: &Payment,
) -> ResolvedPayment {
    let served: Vec<(&str, PaymentTime)> = platform
        .services
        .iter()
        .filter_map(|other| match &other.component {
            Component::Booking(booking) => {
                let payment = booking.payment.as_ref()?;
                (payment.service == service.name).then_some((other.name.as_str(), payment.when))
            }
            _ => None,
        })
        .collect();
    ResolvedPayment {
        block: block.clone(),
        bookings: served.iter().map(|(name, _)| (*name).to_owned()).collect(),
        when: served.first().map(|(_, when)| *when),
    }
}

fn resolved_fulfillment(platform: &ValidatedPlatform, block: &Fulfillment) -> ResolvedFulfillment {
    ResolvedFulfillment {
        block: block.clone(),
        payments: names_of(platform, |component| {
            matches!(component, Component::Payment(_))
        }),
        bookings: names_of(platform, |component| {
            matches!(component, Component::Booking(_))
        }),
    }
}

fn names_of(platform: &ValidatedPlatform, wanted: impl Fn(&Component) -> bool) -> Vec<String> {
    platform
        .services
        .iter()
        .filter(|service| wanted(&service.component))
        .map(|service| service.name.clone())
        .collect()
}

fn life<'a>(place: &Place<'a>, service: &'a ValidatedService) -> ServiceLife<'a> {
    ServiceLife {
        namespace: &place.platform.namespace,
        platform: &place.platform.name,
        service: &service.name,
        incarnation: place.platform.incarnation,
    }
}

fn database(place: &Place, service: &ValidatedService) -> Option<ResolvedDatabase> {
    let mut resolved = ResolvedDatabase::default();
    match &service.database {
        DatabaseChoice::None => return None,
        DatabaseChoice::Sqlite(file) => {
            resolved.sqlite = Some(ResolvedSqlite { file: text(file) });
        }
        DatabaseChoice::Postgres(postgres) => {
            resolved.postgres = Some(ResolvedPostgres {
                host: postgres.host.clone(),
                port: postgres.port,
                database: postgres.database.clone(),
                schema: names::schema(life(place, service)),
                secret_name: postgres.secret_ref.name.clone(),
            });
        }
    }
    Some(resolved)
}

fn log(place: &Place, service: &ValidatedService) -> Option<ResolvedLog> {
    if matches!(service.component, Component::Gateway(_)) {
        return None;
    }
    let topic = place.platform.topic.name.clone();
    let group = names::consumer_group(life(place, service));
    let mut resolved = ResolvedLog::default();
    match &place.platform.log {
        LogChoice::Kafka(bootstrap_servers) => {
            resolved.kafka = Some(KafkaLog {
                bootstrap_servers: bootstrap_servers.clone(),
                topic,
                group,
            });
        }
        LogChoice::Sqlite(file) => {
            resolved.sqlite = Some(SqliteLog {
                file: text(file),
                topic,
                group,
            });
        }
    }
    Some(resolved)
}

fn text(file: &Path) -> String {
    file.to_string_lossy().into_owned()
}

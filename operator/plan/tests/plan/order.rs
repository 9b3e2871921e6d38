//! The effects of the order of a platform's services.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use innkeeper_contracts::settings::{Component, Route};
use innkeeper_crds::platform::Service;
use innkeeper_crds::{BookingPlatform, DomainService, DomainServiceSpec};
use innkeeper_plan::Rendered;
use innkeeper_plan::facts::Order;
use innkeeper_plan::render::objects;
use innkeeper_plan::{Expansion, Facts, expand, validate};
use proptest::prelude::*;
use proptest::sample::subsequence;

use super::fixtures::{TWO_OF_EACH, cluster, only_platform, plain_yaml};

/// Everything that must stay the same, byte for byte, from release to release: the specification
/// and settings of each service, and the names of its ConfigMaps, which contain the hash of their
/// content.
fn golden(expansion: &Expansion) -> String {
    let of_service = |service: &DomainService| {
        let objects = objects(service, None);
        let config_maps = objects
            .iter()
            .filter(|rendered| rendered.resource.kind == "ConfigMap")
            .map(Rendered::name);
        let names: Vec<_> = config_maps.collect();
        let settings = serde_json::to_string_pretty(&service.spec.settings).expect("plain data");
        let specification = plain_yaml(&service.spec);
        format!("{}\n{specification}\n{settings}\n", names.join(" "))
    };
    expansion.services.iter().map(of_service).collect()
}

#[test]
fn a_platform_of_an_earlier_release_stays_what_it_was() {
    insta::assert_snapshot!(golden(&expanded(platform().spec.services, &[])));
}

fn platform() -> BookingPlatform {
    static READ: LazyLock<BookingPlatform> = LazyLock::new(|| {
        only_platform(TWO_OF_EACH)
            .expect("nothing is refused")
            .platform
    });
    READ.clone()
}

fn order(service: &DomainService) -> (String, Order) {
    let spec = serde_json::to_value(&service.spec).expect("plain data");
    let name = service.metadata.name.clone();
    (name.expect("a service has a name"), Order::of(&spec))
}

/// The expansion of a platform of an earlier release with its services in this order; `observed`
/// are the services that exist already.
fn expanded(services: Vec<Service>, observed: &[DomainService]) -> Expansion {
    let mut platform = platform();
    platform.spec.services = services;
    let validated = validate(&platform, &cluster()).expect("nothing is refused");
    let facts = Facts {
        orders: observed.iter().map(order).collect(),
        topic: Some("resort".to_owned()),
        ..Facts::default()
    };
    expand(&validated, &cluster(), &facts)
}

fn by_name(services: &[DomainService]) -> BTreeMap<Option<String>, DomainService> {
    let named = |service: &DomainService| (service.metadata.name.clone(), service.clone());
    services.iter().map(named).collect()
}

fn any_order() -> impl Strategy<Value = Vec<Service>> {
    Just(platform().spec.services).prop_shuffle()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Tests every order that may have existed first, and every set of new services.
    #[test]
    fn the_same_services_in_another_order_are_the_same_children(
        before in any_order(),
        (one, other) in (any_order(), any_order()),
        new in subsequence(vec!["tours", "guides", "stays", "sales"], 0..=4),
    ) {
        let old = before.into_iter().filter(|it| !new.contains(&it.name.as_str())).collect();
        let observed = expanded(old, &[]).services;
        let children = by_name(&expanded(one, &observed).services);
        for (name, child) in by_name(&expanded(other, &observed).services) {
            // A new service has no order on the cluster.
            if observed.iter().any(|it| it.metadata.name == name) {
                prop_assert_eq!(Some(&child), children.get(&name));
            }
        }
    }

    #[test]
    fn another_order_does_not_change_existing_services(before in any_order(), after in any_order()) {
        let observed = expanded(before, &[]).services;
        prop_assert_eq!(by_name(&expanded(after, &observed).services), by_name(&observed));
    }
}

fn service<'a>(expansion: &'a Expansion, name: &str) -> &'a DomainServiceSpec {
    let mut services = expansion.services.iter();
    let found = services.find(|it| it.metadata.name.as_deref() == Some(name));
    &found.expect("there is such a service").spec
}

fn all_routes(expansion: &Expansion) -> &[Route] {
    let gateway = match &service(expansion, "gateway").settings.component {
        Component::Gateway(gateway) => Some(gateway),
        _ => None,
    };
    &gateway.expect("it is a gateway").routes
}

fn routes(expansion: &Expansion) -> Vec<&str> {
    all_routes(expansion)
        .iter()
        .map(|it| it.service.as_str())
        .collect()
}

#[test]
fn a_new_service_comes_after_those_that_were_there_and_a_removed_one_leaves_no_gap() {
    let all = platform().spec.services;
    let without = |names: &[&str]| -> Vec<Service> {
        let mut services = all.clone();
        services.retain(|it| !names.contains(&it.name.as_str()));
        services
    };
    let mut reversed = without(&["rooms", "guides", "stays", "sales"]);
    reversed.reverse();
    let observed = expanded(reversed, &[]);
    let after = expanded(without(&["tours", "stays", "sales"]), &observed.services);
    let was_there = ["tills", "cards", "keys", "tables"];
    let mut expected: Vec<&str> = routes(&observed);
    expected.retain(|name| was_there.contains(name));
    assert_eq!(expected.len(), 4);
    expected.extend(["guides", "rooms"]);
    assert_eq!(routes(&after), expected);
}

#[test]
fn an_order_that_means_something_follows_the_file() {
    let mut services = platform().spec.services;
    let observed = expanded(services.clone(), &[]);
    let stays = services.iter_mut().find(|it| it.name == "stays").unwrap();
    let columns = &mut stays.view.as_mut().unwrap().columns;
    columns.reverse();
    columns[0].latest_of.reverse();
    let after = expanded(services.clone(), &observed.services);
    assert_eq!(
        service(&after, "stays"),
        service(&expanded(services, &[]), "stays")
    );
    assert_ne!(service(&after, "stays"), service(&observed, "stays"));
}

#[test]
fn a_change_is_made_in_whatever_order_it_stands() {
    let mut services = platform().spec.services;
    services.reverse();
    let observed = expanded(services.clone(), &[]);
    let cards = services.iter_mut().find(|it| it.name == "cards").unwrap();
    cards.path = Some("/charges".to_owned());
    let after = expanded(services, &observed.services);
    let route = all_routes(&after).iter().find(|it| it.service == "cards");
    assert_eq!(route.unwrap().paths[0], "/charges");
    assert_eq!(routes(&after), routes(&observed));
}

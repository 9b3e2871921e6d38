//! The validation and expansion of platforms that differ from the example.

use innkeeper_contracts::settings::{self, Database, Log, Postgres};
use innkeeper_crds::{BookingPlatform, DomainService, DomainServiceSpec};
use innkeeper_plan::expand::dev_ports;
use innkeeper_plan::{
    ClusterDefaults, Executor, Expansion, Facts, Refusals, ValidatedPlatform, expand, read,
    validate, validate_service,
};
use serde_json::{Value, json};

use super::fixtures::{
    cluster, cluster_defaults, example, example_for_any_image, example_with, local, only_platform,
};

fn validated(text: &str, executor: &Executor) -> Result<ValidatedPlatform, Refusals> {
    validate(&only_platform(text)?.platform, executor)
}

fn expanded(text: &str, executor: &Executor) -> Expansion {
    let platform = validated(text, executor).expect("nothing is refused");
    expand(&platform, executor, &Facts::default())
}

fn names(expansion: &Expansion) -> Vec<&str> {
    expansion
        .services
        .iter()
        .filter_map(|service| service.metadata.name.as_deref())
        .collect()
}

#[test]
fn callees_come_before_their_callers() {
    let expansion = expanded(&example(), &cluster());
    let names = names(&expansion);
    let field_path = |name| names.iter().position(|other| *other == name);
    assert!(field_path("pay") < field_path("reservation"));
}

#[test]
fn a_cluster_without_kafka_and_database_says_what_to_do() {
    let bare = Executor::Cluster(ClusterDefaults {
        bootstrap_servers: None,
        database: None,
        ..cluster_defaults()
    });
    let refusals = validated(&example(), &bare).unwrap_err();
    let said = refusals.to_string();
    assert!(
        said.contains("kafka.bootstrapServers in the chart's values"),
        "{said}"
    );
    assert!(
        said.contains("database.postgres in the chart's values"),
        "{said}"
    );
}

#[test]
fn a_platform_that_names_both_needs_nothing_from_the_chart() {
    let bare = Executor::Cluster(ClusterDefaults {
        bootstrap_servers: None,
        database: None,
        ..cluster_defaults()
    });
    let text = example_with(
        "  services:\n",
        "  messaging: { bootstrapServers: kafka:9092 }\n  database: { postgres: { host: db, secretRef: { name: db } } }\n  services:\n",
    );
    let expansion = expanded(&text, &bare);
    assert_eq!(
        expansion.topic.spec.bootstrap_servers.as_deref(),
        Some("kafka:9092")
    );
}

#[test]
fn this_machine_has_sqlite_whatever_the_file_names() {
    let text = example_with(
        "      path: /pays\n",
        "      path: /pays\n      database: { postgres: { host: db, secretRef: { name: db } } }\n",
    );
    for service in expanded(&text, &local()).services {
        let settings = &service.spec.settings;
        let gateway = settings.component.name() == "gateway";
        let sqlite = matches!(settings.database, Some(Database::Sqlite(_)));
        assert!(gateway || sqlite, "{:?}", service.metadata.name);
    }
}

#[test]
fn the_image_that_was_pinned_outlives_the_release_that_pinned_it() {
    let mut platform = only_platform(&example_for_any_image()).unwrap().platform;
    let pinned = innkeeper_crds::BookingPlatformStatus {
        image: Some("innkeeper:0.9".to_owned()),
        ..Default::default()
    };
    platform.status = Some(pinned);
    let expanded = |platform: &BookingPlatform| {
        let validated = validate(platform, &cluster()).unwrap();
        expand(&validated, &cluster(), &Facts::default())
    };
    let seen = expanded(&platform);
    assert_eq!(seen.services[0].spec.image, "innkeeper:0.9");
    platform.spec.image = Some("innkeeper:1.1".to_owned());
    let edited = expanded(&platform);
    assert_eq!(edited.services[0].spec.image, "innkeeper:1.1");
}

#[test]
fn a_new_incarnation_has_its_own_group_schema_and_files() {
    let text = example_with("  currency: KRW\n", "  currency: KRW\n  incarnation: 2\n");
    for executor in [cluster(), local()] {
        let (first, second) = (expanded(&example(), &executor), expanded(&text, &executor));
        for (first, second) in first.services.iter().zip(&second.services) {
            let (first, second) = (&first.spec.settings, &second.spec.settings);
            let gateway = first.component.name() == "gateway";
            assert!(gateway || first.log != second.log);
            assert!(gateway || first.database != second.database);
        }
    }
}

#[test]
fn a_platform_has_a_topic_of_its_namespace_unless_it_names_one_or_has_one() {
    let name = |text: &str, executor: &Executor, known: Option<&str>| {
        let facts = Facts {
            topic: known.map(str::to_owned),
            ..Facts::default()
        };
        let expansion = expand(&validated(text, executor).unwrap(), executor, &facts);
        let logs = expansion.services.iter();
        let read = logs.filter_map(|it| match it.spec.settings.log.as_ref()? {
            Log::Kafka(kafka) => Some(kafka.topic.clone()),
            Log::Sqlite(file) => Some(file.topic.clone()),
        });
        let topic = expansion.topic.spec.topic_name;
        assert!(read.into_iter().all(|it| it == topic));
        topic
    };
    let elsewhere = example_with("  name: rentcar\n", "  name: rentcar\n  namespace: shop\n");
    assert_eq!(name(&example(), &cluster(), None), "default.rentcar");
    assert_eq!(name(&elsewhere, &cluster(), None), "shop.rentcar");
    assert_eq!(name(&elsewhere, &cluster(), Some("rentcar")), "rentcar");
    assert_eq!(name(&elsewhere, &local(), None), "rentcar");
    let named = example_with(
        "  services:\n",
        "  messaging: { topic: { name: cars } }\n  services:\n",
    );
    for known in [None, Some("rentcar")] {
        assert_eq!(name(&named, &cluster(), known), "cars");
    }
}

#[test]
fn a_service_without_a_dev_port_gets_one_that_nobody_has() {
    let text = example_with("      dev: { port: 8081 }\n", "");
    let ports = dev_ports(&validated(&text, &local()).unwrap());
    assert_eq!(ports["reservation"], 8081);
    assert_eq!(ports["gateway"], 8080);
}

#[test]
fn a_refusal_names_the_line_of_the_file() {
    let text = example_with("minReplicas: 1,", "minReplicas: 11,");
    let refusals = read(&text).unwrap_err();
    let line = text.lines().position(|line| line.contains("minReplicas"));
    assert_eq!(refusals.0[0].line, line.map(|index| index + 1));
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let text =
        example_with("from: rent.id", "from: car.id").replace("from: pay.id", "from: pay.no");
    assert_eq!(validated(&text, &cluster()).unwrap_err().0.len(), 2);
}

#[test]
fn other_documents_of_a_file_are_named() {
    let text = format!("{}---\nkind: Secret\nmetadata: {{ name: db }}\n", example());
    assert_eq!(read(&text).unwrap().others, ["Secret db"]);
    let none = read("kind: Secret\n").unwrap_err();
    assert!(
        none.to_string().contains("expected a BookingPlatform"),
        "{none}"
    );
}

/// The message about the example with a `minLength`, if its image is pinned to this one.
fn said_of(image: &str, executor: &Executor) -> Option<String> {
    let text = example_with("maxLength: 20 }", "minLength: 9, maxLength: 20 }");
    let mut platform = only_platform(&text).expect("nothing is refused").platform;
    let pinned = innkeeper_crds::BookingPlatformStatus {
        image: Some(image.to_owned()),
        ..Default::default()
    };
    platform.status = Some(pinned);
    let refusals = validate(&platform, executor).err()?;
    Some(refusals.to_string())
}

#[test]
fn a_field_that_the_pinned_image_does_not_know_is_refused_by_name() {
    let field_path = "spec.services[1].booking.attributes[0].minLength";
    let remedy = "set spec.image to registry.example/innkeeper:1.0.0, or leave minLength out";
    for (image, doubt) in [
        ("innkeeper:0.1.0", "does not know minLength"),
        ("innkeeper:v0.1.9@sha256:00ff", "does not know minLength"),
        ("innkeeper:latest", "may not know minLength"),
        ("innkeeper@sha256:00ff", "may not know minLength"),
        ("innkeeper", "may not know minLength"),
    ] {
        let said = said_of(image, &cluster()).expect("it is refused");
        for part in [field_path, image, doubt, remedy] {
            assert!(said.contains(part), "{part} in {said}");
        }
    }
}

#[test]
fn what_came_with_a_release_is_refused_for_the_image_of_the_release_before() {
    let text = example_with(ON_PLACEMENT, WITHIN_HALF_AN_HOUR);
    let mut platform = only_platform(&text).expect("nothing is refused").platform;
    platform.spec.image = Some("innkeeper:0.2.0".to_owned());
    let refusals = validate(&platform, &cluster()).expect_err("it knows neither");
    for part in [
        "spec.services[0].gateway.cors: the image innkeeper:0.2.0 does not know cors",
        "spec.services[1].booking.payment.payWithin: the image innkeeper:0.2.0 does not know payWithin",
    ] {
        assert!(refusals.to_string().contains(part), "{refusals}");
    }
}

#[test]
fn an_image_that_knows_a_field_or_does_not_run_here_is_not_refused() {
    for image in [
        "registry.example/innkeeper:1.0.0",
        "innkeeper:0.3.0",
        "innkeeper:v0.3.1",
        "localhost:5000/innkeeper:2.0.0@sha256:00ff",
    ] {
        assert_eq!(said_of(image, &cluster()), None, "{image}");
    }
    assert_eq!(said_of("innkeeper:0.1.0", &local()), None);
}

/// A service as somebody would write it by hand.
fn written(component: &Value) -> DomainService {
    serde_json::from_value(json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "DomainService",
        "metadata": { "name": "pay", "namespace": "shop" },
        "spec": {
            "image": "innkeeper:1.0.0",
            "settings": {
                "namespace": "shop",
                "platform": "cars",
                "service": "pay",
                "path": "/pays",
                "component": component,
            },
        },
    }))
    .expect("the object is complete")
}

#[test]
fn a_service_that_says_one_thing_twice_says_the_same() {
    let said_of = |change: fn(&mut DomainServiceSpec)| {
        let mut service = written(&json!({ "payment": {} }));
        change(&mut service.spec);
        let refused = validate_service(&service, &cluster_defaults()).err();
        refused.map(|it| it.to_string()).unwrap_or_default()
    };
    assert_eq!(said_of(|_| ()), "");
    let elsewhere = said_of(|it| it.settings.namespace = "default".to_owned());
    assert_eq!(
        elsewhere,
        "spec.settings.namespace: say shop, as metadata.namespace does"
    );
    let other = said_of(|it| it.settings.service = "till".to_owned());
    assert_eq!(
        other,
        "spec.settings.service: say pay, as metadata.name does"
    );
    let longer = said_of(|it| it.settings.drain_seconds = 30);
    assert!(longer.starts_with("spec.settings.drainSeconds: say 20,"));
    let unknown = said_of(|it| {
        let value = ("PROFILE".to_owned(), "test".to_owned());
        it.settings.config.extend([value]);
    });
    assert_eq!(
        unknown,
        "spec.settings.config: say the same as spec.config.env"
    );
    let mounted = said_of(|it| {
        it.settings.database = Some(Database::Postgres(Postgres {
            tls: None,
            host: "db".to_owned(),
            port: 5432,
            database: "cars".to_owned(),
            schema: "pay".to_owned(),
            credentials_dir: "/somewhere".into(),
        }));
    });
    assert!(mounted.contains("say /etc/innkeeper/database, where the Secret is mounted"));
}

#[test]
fn a_service_that_somebody_wrote_is_refused_what_its_image_does_not_know() {
    let attributes = json!([{ "name": "a" }, { "name": "b", "minLength": 3 }]);
    let said_of = |image: &str, block: &str| {
        let mut service = written(&json!({ block: { "words": { "attributes": attributes } } }));
        service.spec.image = image.to_owned();
        let defaults = ClusterDefaults {
            image: "innkeeper:1.0.0".to_owned(),
            ..ClusterDefaults::default()
        };
        let refusals = validate_service(&service, &defaults).err()?;
        Some(refusals.to_string())
    };
    for block in ["booking", "payment", "fulfillment"] {
        let expected = format!(
            "spec.settings.component.{block}.words.attributes[1].minLength: the image innkeeper:0.1.0 does not know minLength, which came with 0.2.0: set spec.image to innkeeper:1.0.0, or leave minLength out"
        );
        assert_eq!(said_of("innkeeper:0.1.0", block), Some(expected));
        assert!(said_of("innkeeper", block).is_some());
        assert_eq!(said_of("innkeeper:1.0.0", block), None);
        assert_eq!(said_of("other/innkeeper:0.2.0", block), None);
    }
}

#[test]
fn the_remedy_for_an_older_image_is_accepted() {
    let text = example_with("maxLength: 20 }", "minLength: 9, maxLength: 20 }").replace(
        "  currency: KRW\n",
        "  currency: KRW\n  image: registry.example/innkeeper:1.0.0\n",
    );
    let mut platform = only_platform(&text).unwrap().platform;
    let pinned = innkeeper_crds::BookingPlatformStatus {
        image: Some("innkeeper:0.1.0".to_owned()),
        ..Default::default()
    };
    platform.status = Some(pinned);
    assert!(validate(&platform, &cluster()).is_ok());
}

#[test]
fn a_shortest_length_reaches_the_settings_and_is_left_out_where_there_is_none() {
    let attributes = |text: &str| {
        let expansion = expanded(text, &cluster());
        let service = expansion
            .services
            .iter()
            .find(|service| service.spec.settings.component.name() == "booking");
        let settings = &service.expect("the example takes bookings").spec.settings;
        let settings = serde_json::to_value(settings).expect("plain data");
        settings["component"]["booking"]["words"]["attributes"][0].to_string()
    };
    let with = example_with("maxLength: 20 }", "minLength: 9, maxLength: 20 }");
    assert_eq!(
        attributes(&with),
        r#"{"name":"userHp","type":"String","minLength":9,"maxLength":20}"#
    );
    assert_eq!(
        attributes(&example()),
        r#"{"name":"userHp","type":"String","maxLength":20}"#
    );
}

#[test]
fn a_currency_may_be_required_where_the_platform_has_one() {
    let text = example_with("required: [userName, carId]", "required: [currency]");
    assert!(validated(&text, &cluster()).is_ok());
}

/// The settings of the payment service of the example, on an image.
fn payment_settings(image: Option<&str>) -> settings::Payment {
    let text = example_for_any_image();
    let mut platform = only_platform(&text).expect("it can be read").platform;
    platform.spec.image = image.map(str::to_owned);
    let platform = validate(&platform, &cluster()).expect("nothing is refused");
    let expansion = expand(&platform, &cluster(), &Facts::default());
    let mut services = expansion.services.into_iter();
    let payment = services.find_map(|service| match service.spec.settings.component {
        settings::Component::Payment(payment) => Some(payment),
        _ => None,
    });
    payment.expect("there is a payment service")
}

#[test]
fn a_payment_service_is_told_whom_to_ask_unless_its_image_would_refuse_its_settings() {
    for image in [None, Some("registry.example/innkeeper:0.3.0")] {
        let asked = payment_settings(image).booking_addresses;
        assert_eq!(asked.len(), 1, "{image:?}");
        assert_eq!(asked[0].address, "http://reservation:8080");
        assert_eq!(asked[0].pending_timeout_seconds, 60);
    }
    for image in [
        "registry.example/innkeeper:0.1.0",
        "registry.example/innkeeper",
    ] {
        let asked = payment_settings(Some(image)).booking_addresses;
        assert_eq!(asked, [], "{image}");
    }
}

const ON_PLACEMENT: &str = "when: OnPlacement";
const WITHIN_HALF_AN_HOUR: &str = "when: Later, payWithin: 30m";

#[test]
fn a_payment_service_is_told_within_which_time_its_bookings_are_paid() {
    let text = example_with(ON_PLACEMENT, WITHIN_HALF_AN_HOUR);
    let expansion = expanded(&text, &cluster());
    let mut services = expansion.services.iter();
    let pay = services.find(|it| it.metadata.name.as_deref() == Some("pay"));
    let settings = serde_json::to_value(&pay.expect("it is there").spec.settings.component);
    assert_eq!(
        settings.expect("it is JSON")["payment"]["payWithinSeconds"],
        1_800
    );
}

#[test]
fn bookings_that_are_paid_at_one_place_agree_on_the_time_to_pay() {
    let second = "    - name: second\n      path: /seconds\n      booking: { payment: { service: pay, when: Later } }\n    - name: pay\n";
    let text = example_with(ON_PLACEMENT, WITHIN_HALF_AN_HOUR).replace("    - name: pay\n", second);
    let refusals = validated(&text, &cluster()).expect_err("they differ");
    assert!(
        refusals
            .to_string()
            .contains("must agree on payment.when and payment.payWithin"),
        "{refusals}"
    );
}

#[test]
fn a_gateway_waits_longer_than_the_calls_of_a_service_take() {
    for (timeout, expected) in [
        ("610ms", settings::DEFAULT_ROUTE_TIMEOUT_MS.into()),
        ("8s", settings::DEFAULT_ROUTE_TIMEOUT_MS.into()),
        ("9s", 11_000),
        ("30s", 32_000),
        ("1h", settings::MAX_ROUTE_TIMEOUT_MS),
    ] {
        let text = example_with("timeout: 610ms", &format!("timeout: {timeout}"));
        let gateway = expanded(&text, &cluster()).services.into_iter();
        let routes = gateway.filter_map(|service| match service.spec.settings.component {
            settings::Component::Gateway(gateway) => Some(gateway.routes),
            _ => None,
        });
        for route in routes.flatten() {
            let waits = if route.service == "reservation" {
                expected
            } else {
                settings::DEFAULT_ROUTE_TIMEOUT_MS.into()
            };
            assert_eq!(route.timeout_ms, waits, "{} {timeout}", route.service);
        }
    }
}

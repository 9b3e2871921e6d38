//! A platform whose Kafka asks for TLS and a password, and lets users do what its ACLs allow, and
//! whose PostgreSQL takes TLS only.

use std::net::SocketAddr;
use std::time::Duration;

use innkeeper_cluster::deadline::until;
use innkeeper_cluster::folders::RunFolder;
use innkeeper_cluster::postgres;
use innkeeper_cluster::secured_kafka::{PASSWORD, SecuredKafka, USER};
use innkeeper_cluster::tls_postgres::{self, TlsPostgres};
use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{DEPLOYMENTS, DOMAIN_SERVICES, TOPICS, condition, name, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::operator;
use innkeeper_e2e::secured_kafka::{addresses, authority, login, put_operator_password, secret};
use serde_json::{Value, json};

const SECURED: Namespace = Namespace("secured");

/// How long the kubelet may take to bring a changed Secret into a pod.
const SECRET_ARRIVES: Duration = Duration::from_mins(3);

/// The password after the rotation.
const NEXT: &str = "the-next-password";

pub fn lane() -> Lane {
    Lane {
        name: "kafka_security",
        namespaces: &["innkeeper-system", "secured"],
        claims: claims![a_platform_reaches_brokers_that_ask_for_tls_and_a_password],
    }
}

/// Port of the database server, beside those of the others.
const DATABASE_PORT: u16 = 5_434;

fn platform(brokers: SocketAddr, database: SocketAddr) -> String {
    let postgres = json!({
        "host": database.ip().to_string(),
        "port": database.port(),
        "database": "postgres",
        "secretRef": { "name": "database-login" },
        "tls": { "mode": "VerifyFull", "caSecretRef": { "name": "database-ca" } },
    });
    let messaging = json!({
        "bootstrapServers": brokers.to_string(),
        "tls": { "mode": "VerifyFull", "caSecretRef": { "name": "ca" } },
        "sasl": { "mechanism": "SCRAM-SHA-512", "secretRef": { "name": "login" } },
    });
    Example::small("secured")
        .with("messaging", messaging)
        .with("database", json!({ "postgres": postgres }))
        .manifest()
}

/// Waits until an EventTopic at these brokers says this, and removes it.
fn check_told(brokers: SocketAddr, expected: &str) {
    let topic = json!({
        "apiVersion": "innkeeper.dev/v1alpha1",
        "kind": "EventTopic",
        "metadata": { "name": "told" },
        "spec": { "topicName": "secured.told", "bootstrapServers": brokers.to_string() },
    });
    SECURED.apply(&topic.to_string());
    let said = SECURED.until(expected, || {
        let topic = SECURED.fetch(TOPICS, "told");
        let said = condition(&topic, "Ready").map(|it| text(&it["message"]));
        match said.unwrap_or_default() {
            said if said.contains(expected) => Ok(said),
            said => Err(said),
        }
    });
    assert!(!said.contains(PASSWORD), "{said}");
    SECURED.kubectl(&["delete", "eventtopic", "told"]).unwrap();
}

/// Books a car, and returns the number of the reservation.
fn book() -> Value {
    let car = json!({ "userName": "kim", "userHp": "010-1234-5678", "carId": "7", "period": "3", "price": "50000" });
    let answer = SECURED.call("POST", "/reservations", &car);
    assert_eq!(answer.status, 201, "{}", answer.body);
    answer.body["id"].clone()
}

/// The last lines that a Deployment's pods have logged.
fn logs(namespace: Namespace, deployment: &str) -> String {
    let deployment = format!("deployment/{deployment}");
    namespace.kubectl(&["logs", &deployment]).unwrap()
}

fn a_platform_reaches_brokers_that_ask_for_tls_and_a_password() {
    let folder = tempfile::tempdir().unwrap();
    let run = RunFolder::at(&folder.path().join("kafka"));
    let kafka = SecuredKafka::start(&run, addresses(), authority()).unwrap();
    let brokers = addresses().secured;
    let database = SocketAddr::new(brokers.ip(), DATABASE_PORT);
    let database_folder = tempfile::tempdir().unwrap();
    let server = TlsPostgres::start(database_folder.path(), database).unwrap();
    SECURED.create();
    let database_login = login(tls_postgres::USER, postgres::PASSWORD);
    SECURED.apply(&secret("database-login", &database_login));
    let database_ca = json!({ "ca.crt": server.authority.certificate });
    SECURED.apply(&secret("database-ca", &database_ca));
    SECURED.apply(&secret("login", &login(USER, PASSWORD)));
    let ca = json!({ "ca.crt": authority().certificate });
    SECURED.apply(&secret("ca", &ca));

    check_told(addresses().expired, "has expired");
    check_told(addresses().misnamed, "is for another");
    check_told(addresses().unencrypted, "invalid credentials");
    check_told(
        addresses().certified,
        "kafka.clusters in the chart's values",
    );
    check_told(
        brokers,
        "allow Describe on the topic to the operator's user",
    );
    start_platform(&kafka, database);
    book();
    let metrics = SECURED.fetch_admin("pay", "/metrics");
    let is_encrypted =
        |line: &str| line.starts_with("innkeeper_kafka_tls{") && line.ends_with(" 1");
    let metrics = metrics.text();
    assert!(metrics.lines().any(is_encrypted), "{metrics}");

    check_rotation(&kafka);
    SECURED
        .kubectl(&["delete", "bookingplatform", "secured"])
        .unwrap();
}

/// Starts the platform with the rights that README names: those of the operator first, and then
/// those of services.
fn start_platform(kafka: &SecuredKafka, database: SocketAddr) {
    let operators = [
        "Describe",
        "DescribeConfigs",
        "Create",
        "Alter",
        "AlterConfigs",
    ];
    kafka.allow(&operators, "--topic", "secured.").unwrap();
    SECURED.apply(&platform(addresses().secured, database));
    SECURED.await_told("pay", "needs Read and Write on the topic");
    let services = ["Read", "Write"];
    kafka.allow(&services, "--topic", "secured.").unwrap();
    kafka.allow(&["Read"], "--group", "secured.").unwrap();
    SECURED.await_ready("secured");
    SECURED.until("the status says what is encrypted", || {
        let status = SECURED.fetch(DOMAIN_SERVICES, "pay")["status"].clone();
        if status["kafkaTls"] == true && status["databaseTls"] == true {
            Ok(())
        } else {
            Err(status.to_string())
        }
    });
}

/// Checks that a password that rotates is used without a restart, and that no booking fails.
fn check_rotation(kafka: &SecuredKafka) {
    let generations = || {
        let deployments = SECURED.list(DEPLOYMENTS).into_iter();
        deployments
            .map(|it| (name(&it), it["metadata"]["generation"].clone()))
            .collect::<Vec<(String, Value)>>()
    };
    let before = generations();
    kafka.change_password(NEXT).unwrap();
    SECURED.apply(&secret("login", &login(USER, NEXT)));
    put_operator_password(operator::NAMESPACE, NEXT);
    let services: Vec<_> = SECURED.list(DOMAIN_SERVICES).iter().map(name).collect();
    let services = services.into_iter().filter(|it| it != "gateway");
    for service in services {
        until("the pods use the next password", SECRET_ARRIVES, || {
            book();
            match logs(SECURED, &service) {
                said if said.contains("the credentials for Kafka have changed") => Ok(()),
                said => Err(said),
            }
        })
        .unwrap();
    }
    assert_eq!(generations(), before);
    // What is booked now goes through new connections.
    let shown = format!("/myReservations/{}", book());
    SECURED.until("the view shows it", || {
        match SECURED.call("GET", &shown, &Value::Null) {
            answer if answer.status == 200 => Ok(()),
            answer => Err(answer.body.to_string()),
        }
    });
    let noticed = "the credentials for Kafka have changed";
    until(
        "the operator uses the next password",
        SECRET_ARRIVES,
        || match logs(operator::NAMESPACE, "innkeeper") {
            said if said.contains(noticed) => Ok(()),
            said => Err(said),
        },
    )
    .unwrap();
    check_told(addresses().secured, "topic secured.told has");
}

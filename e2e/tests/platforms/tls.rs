//! A platform whose PostgreSQL takes TLS only.

use std::net::SocketAddr;
use std::time::Duration;

use innkeeper_cluster::authority::Authority;
use innkeeper_cluster::deadline::until;
use innkeeper_cluster::postgres::PASSWORD;
use innkeeper_cluster::tls_postgres::{CERTIFIED, TlsPostgres, USER};
use innkeeper_e2e::claims;
use innkeeper_e2e::example::Example;
use innkeeper_e2e::kubernetes::{DOMAIN_SERVICES, name, text};
use innkeeper_e2e::lanes::Lane;
use innkeeper_e2e::namespace::Namespace;
use innkeeper_e2e::secured_kafka::{login, secret};
use innkeeper_e2e::site::site;
use serde_json::{Value, json};

const TLS: Namespace = Namespace("tls");

/// Port of the server, beside that of the others.
const PORT: u16 = 5_433;

/// How long the kubelet may take to bring a changed Secret into a pod.
const SECRET_ARRIVES: Duration = Duration::from_mins(3);

pub fn lane() -> Lane {
    Lane {
        name: "tls",
        namespaces: &["tls"],
        claims: claims![a_platform_reaches_a_database_that_takes_tls_only],
    }
}

fn platform(server: SocketAddr, credentials: &str, tls: &Value) -> String {
    let database = json!({ "postgres": {
        "host": server.ip().to_string(),
        "port": server.port(),
        "database": "postgres",
        "secretRef": { "name": credentials },
        "tls": tls,
    } });
    Example::small("tls").with("database", database).manifest()
}

/// The schemas of the platform's services.
fn schemas() -> Vec<String> {
    let services = TLS.list(DOMAIN_SERVICES);
    let schema = |service: &Value| {
        let database = &service["spec"]["settings"]["database"]["postgres"];
        database["schema"]
            .is_string()
            .then(|| text(&database["schema"]))
    };
    let found: Vec<_> = services.iter().filter_map(schema).collect();
    assert_eq!(
        found.len(),
        4,
        "{:?}",
        services.iter().map(name).collect::<Vec<_>>()
    );
    found
}

fn check_encrypted(server: &TlsPostgres) {
    for schema in schemas() {
        let found = server.is_encrypted(&schema).unwrap();
        assert_eq!(found, Some(true), "{schema}");
    }
}

fn a_platform_reaches_a_database_that_takes_tls_only() {
    let folder = tempfile::tempdir().unwrap();
    let address = SocketAddr::new(site().cluster.postgres().ip(), PORT);
    let server = TlsPostgres::start(folder.path(), address).unwrap();
    let other = Authority::make("another authority").unwrap();
    TLS.create();
    TLS.apply(&secret("login", &login(USER, PASSWORD)));
    TLS.apply(&secret("wrong-ca", &json!({ "ca.crt": other.certificate })));
    let (certificate, key) = server.authority.certify(CERTIFIED, 2100).unwrap();
    let ca = json!({ "root.pem": server.authority.certificate });
    TLS.apply(&secret("ca", &ca));

    // What is wrong is in the status.
    let wrong = json!({ "mode": "VerifyFull", "caSecretRef": { "name": "wrong-ca" } });
    TLS.apply(&platform(address, "login", &wrong));
    let said = TLS.await_told("pay", "UnknownIssuer");
    assert!(!said.contains(PASSWORD), "{said}");
    let verified =
        json!({ "mode": "VerifyFull", "caSecretRef": { "name": "ca", "key": "root.pem" } });
    TLS.apply(&platform(address, "login", &verified));
    TLS.await_ready("tls");
    check_encrypted(&server);
    let car = json!({ "userName": "kim", "userHp": "010-1234-5678", "carId": "7", "period": "3", "price": "50000" });
    assert_eq!(TLS.call("POST", "/reservations", &car).status, 201);

    // A password that rotates is used by the next connection.
    server
        .query(&format!("ALTER ROLE {USER} PASSWORD 'the-next-one'"))
        .unwrap();
    TLS.apply(&secret("login", &login(USER, "the-next-one")));
    until("the pods use the next password", SECRET_ARRIVES, || {
        let ended = format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{USER}'"
        );
        server.query(&ended).unwrap();
        match TLS.call("POST", "/reservations", &car) {
            answer if answer.status == 201 => Ok(()),
            answer => Err(answer.body.to_string()),
        }
    })
    .unwrap();

    // A certificate takes the place of a password.
    TLS.apply(&secret("certified", &login(CERTIFIED, "")));
    TLS.apply(&secret(
        "client",
        &json!({ "tls.crt": certificate, "tls.key": key }),
    ));
    server
        .query(&format!("REASSIGN OWNED BY {USER} TO {CERTIFIED}"))
        .unwrap();
    let mut certified = verified;
    certified["clientSecretRef"] = json!({ "name": "client" });
    TLS.apply(&platform(address, "certified", &certified));
    TLS.await_ready("tls");
    check_encrypted(&server);
    let users =
        "SELECT DISTINCT usename FROM pg_stat_activity WHERE application_name LIKE 'tls\\_%'";
    TLS.until("the pods with the password are gone", || {
        match server.query(users).unwrap() {
            users if users == CERTIFIED => Ok(()),
            users => Err(users),
        }
    });
    TLS.kubectl(&["delete", "bookingplatform", "tls"]).unwrap();
}

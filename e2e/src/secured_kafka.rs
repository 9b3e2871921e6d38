//! The Kafka that asks for TLS and a password, and how the operator is told to reach it. It is
//! started by the claims that need it; the operator knows it from the beginning.

use std::sync::OnceLock;

use innkeeper_cluster::authority::Authority;
use innkeeper_cluster::secured_kafka::{Addresses, PASSWORD, USER};
use serde_json::{Value, json};

use crate::namespace::Namespace;
use crate::site::site;

/// The first of its ports, beside those of the other Kafka.
const FIRST_PORT: u16 = 9_192;

/// The Secrets in the operator's namespace.
const LOGIN: &str = "kafka-operator";
const WRONG_LOGIN: &str = "kafka-wrong";
const CA: &str = "kafka-ca";

/// Where the broker listens: the address of PostgreSQL, and ports of its own.
pub fn addresses() -> Addresses {
    let ports = std::array::from_fn(|index| FIRST_PORT + u16::try_from(index).unwrap());
    Addresses::at(site().cluster.postgres().ip(), ports)
}

/// The authority of its certificates, and of its clients'.
pub fn authority() -> &'static Authority {
    static AUTHORITY: OnceLock<Authority> = OnceLock::new();
    AUTHORITY.get_or_init(|| Authority::make("the brokers' authority").unwrap())
}

/// A Secret with these texts.
pub fn secret(name: &str, data: &Value) -> String {
    let metadata = json!({ "name": name });
    json!({ "apiVersion": "v1", "kind": "Secret", "metadata": metadata, "stringData": data })
        .to_string()
}

/// The content of a Secret with a user and a password.
pub fn login(user: &str, password: &str) -> Value {
    json!({ "username": user, "password": password })
}

/// Gives the operator's namespace the Secrets that its pod mounts.
pub fn put_operator_secrets(namespace: Namespace) {
    put_operator_password(namespace, PASSWORD);
    namespace.apply(&secret(WRONG_LOGIN, &login(USER, "wrong-password")));
    let ca = json!({ "ca.crt": authority().certificate });
    namespace.apply(&secret(CA, &ca));
}

/// Gives the operator another password.
pub fn put_operator_password(namespace: Namespace, password: &str) {
    namespace.apply(&secret(LOGIN, &login(USER, password)));
}

/// The chart's values that tell the operator how its listeners are reached, as a file in JSON.
pub fn values() -> String {
    let Addresses {
        secured,
        unencrypted,
        expired,
        misnamed,
        ..
    } = addresses();
    let tls = json!({ "mode": "VerifyFull", "caSecretName": CA });
    let sasl = json!({ "mechanism": "SCRAM-SHA-512", "secretName": LOGIN });
    let encrypted = [secured, expired, misnamed].map(
        |address| json!({ "bootstrapServers": address.to_string(), "tls": tls, "sasl": sasl }),
    );
    let mut clusters = encrypted.to_vec();
    clusters.push(json!({
        "bootstrapServers": unencrypted.to_string(),
        "sasl": { "mechanism": "SCRAM-SHA-512", "secretName": WRONG_LOGIN },
    }));
    json!({ "kafka": { "clusters": clusters } }).to_string()
}

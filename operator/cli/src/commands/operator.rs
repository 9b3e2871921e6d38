//! `innkeeper operator`: runs the operator, as the chart's Deployment does.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};
use std::num::NonZero;

use innkeeper_contracts::pod;
use innkeeper_contracts::settings::TlsMode;
use innkeeper_controller::{DEFAULT_TOPIC_RESYNC, Options, RunError, Scope, Standby};
use innkeeper_crds::database::{
    CaSecretRef, Postgres, PostgresTls, SecretRef, TlsSecretRef, TlsSecrets,
};
use innkeeper_kit::clock::{Clock as _, SystemClock};
use innkeeper_plan::ClusterDefaults;
use innkeeper_runtime::shutdown::EndSignals;
use serde_json::Value;
use tokio_util::sync::CancellationToken;

use crate::cluster::IMAGE;
use crate::exit::Failure;
use crate::process;

/// The arguments of `innkeeper operator`. The chart sets all of them.
#[derive(clap::Args)]
pub struct Arguments {
    /// Kafka brokers of platforms that name none.
    #[arg(long, value_name = "HOST:PORT,…")]
    bootstrap_servers: Option<String>,
    /// PostgreSQL server of services that name no database.
    #[arg(long, value_name = "HOST")]
    postgres_host: Option<String>,
    /// Its port.
    #[arg(long, value_name = "PORT", default_value_t = 5432)]
    postgres_port: u16,
    /// Name of the database on it.
    #[arg(long, value_name = "NAME", default_value = "innkeeper")]
    postgres_database: String,
    /// Secret with `username` and `password`, in each platform's namespace.
    #[arg(long, value_name = "NAME", default_value = "innkeeper-database")]
    postgres_secret: String,
    /// What to ask of its TLS: `Disable`, `Require`, `VerifyCa` or `VerifyFull`. When left out, TLS
    /// is used where the server offers it, and its certificate is not verified.
    #[arg(long, value_name = "MODE", value_parser = tls_mode)]
    postgres_tls: Option<TlsMode>,
    /// Secret with the certificates of the authorities to trust, in each platform's namespace.
    #[arg(long, value_name = "NAME", requires = "postgres_tls")]
    postgres_ca_secret: Option<String>,
    /// The key in that Secret.
    #[arg(long, value_name = "KEY", default_value = "ca.crt")]
    postgres_ca_key: String,
    /// Secret with `tls.crt` and `tls.key` of a client certificate, in each platform's namespace.
    #[arg(long, value_name = "NAME", requires = "postgres_tls")]
    postgres_client_secret: Option<String>,
    /// Image of platforms that name none.
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
    /// How many platforms take new defaults at a time; the next one does when one of them is ready.
    #[arg(long, value_name = "NUMBER", default_value_t = NonZero::<usize>::MIN)]
    platforms_at_once: NonZero<usize>,
    /// Look after the platforms of this namespace only.
    #[arg(long, value_name = "NAMESPACE")]
    watch_namespace: Option<String>,
    /// Namespace of the Lease by which replicas agree who works; when left out, this is the only
    /// one.
    #[arg(long, value_name = "NAMESPACE", requires = "identity")]
    namespace: Option<String>,
    /// Name of this replica.
    #[arg(long, value_name = "NAME", requires = "namespace")]
    identity: Option<String>,
    /// Name of the Lease.
    #[arg(long, value_name = "NAME", default_value = "innkeeper")]
    lease: String,
    /// Where `/livez`, `/readyz` and `/metrics` are answered.
    #[arg(long, value_name = "ADDRESS", default_value_t = everywhere())]
    listen: SocketAddr,
}

const fn everywhere() -> SocketAddr {
    SocketAddr::new(IpAddr::V6(Ipv6Addr::UNSPECIFIED), pod::ADMIN_PORT)
}

impl Arguments {
    fn options(self) -> Options {
        let defaults = ClusterDefaults {
            database: self.postgres(),
            bootstrap_servers: self.bootstrap_servers,
            image: self.image,
        };
        let standby = self.namespace.zip(self.identity);
        Options {
            scope: self
                .watch_namespace
                .map_or(Scope::Cluster, Scope::Namespace),
            defaults,
            platforms_at_once: self.platforms_at_once.get(),
            listen: self.listen,
            standby: standby.map(|(namespace, identity)| Standby {
                namespace,
                lease: self.lease,
                identity,
            }),
            now: || SystemClock.now(),
            topic_resync: DEFAULT_TOPIC_RESYNC,
        }
    }

    fn postgres(&self) -> Option<Postgres> {
        Some(Postgres {
            host: self.postgres_host.clone()?,
            port: self.postgres_port,
            database: self.postgres_database.clone(),
            secret_ref: SecretRef {
                name: self.postgres_secret.clone(),
            },
            tls: self.postgres_tls.map(|mode| PostgresTls {
                mode,
                secrets: self.tls_secrets(),
            }),
        })
    }

    fn tls_secrets(&self) -> TlsSecrets {
        let authority = self.postgres_ca_secret.clone();
        let client = self.postgres_client_secret.clone();
        TlsSecrets {
            ca_secret_ref: authority.map(|name| CaSecretRef {
                name,
                key: self.postgres_ca_key.clone(),
            }),
            client_secret_ref: client.map(|name| TlsSecretRef { name }),
        }
    }
}

fn tls_mode(text: &str) -> Result<TlsMode, String> {
    serde_json::from_value(Value::from(text)).map_err(|error| error.to_string())
}

/// Runs the operator until SIGTERM or Ctrl-C.
pub fn run(arguments: Arguments) -> Result<(), Failure> {
    process::run(|signals| operate(arguments.options(), signals))
}

async fn operate(options: Options, mut signals: EndSignals) -> Result<(), Failure> {
    let stop = CancellationToken::new();
    let mut running = std::pin::pin!(innkeeper_controller::run(options, stop.clone()));
    let outcome = tokio::select! {
        outcome = &mut running => outcome,
        () = signals.next() => {
            stop.cancel();
            running.await
        }
    };
    outcome.map_err(|error| match error {
        RunError::Cluster(_) | RunError::Listen { .. } => Failure::refused(&error),
        _ => Failure::failed(&error),
    })
}

#[cfg(test)]
mod tests;

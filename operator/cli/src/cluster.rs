//! What the offline commands assume about a cluster: the chart's values. The defaults here are
//! examples.

use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_plan::{ClusterDefaults, Executor};

/// The image that `cargo xtask image` builds and the chart asks for.
pub const IMAGE: &str = concat!("innkeeper.dev/innkeeper:", env!("CARGO_PKG_VERSION"));

/// The chart's values that a plan depends on.
#[derive(clap::Args)]
pub struct ClusterArguments {
    /// Kafka brokers, as in the chart's `kafka.bootstrapServers`.
    #[arg(long, value_name = "HOST:PORT,…", default_value = "kafka:9092")]
    bootstrap_servers: String,
    /// PostgreSQL server, as in the chart's `database.postgres.host`.
    #[arg(long, value_name = "HOST", default_value = "postgres")]
    postgres_host: String,
    /// Name of the database, as in the chart's `database.postgres.database`.
    #[arg(long, value_name = "NAME", default_value = "innkeeper")]
    postgres_database: String,
    /// Secret with `username` and `password`, as in the chart's `database.postgres.secretName`.
    #[arg(long, value_name = "NAME", default_value = "innkeeper-database")]
    postgres_secret: String,
    /// Image of the services.
    #[arg(long, value_name = "IMAGE", default_value = IMAGE)]
    image: String,
}

impl ClusterArguments {
    /// The executor for the cluster that the arguments describe.
    pub fn executor(&self) -> Executor {
        Executor::Cluster(ClusterDefaults {
            bootstrap_servers: Some(self.bootstrap_servers.clone()),
            database: Some(self.postgres()),
            image: self.image.clone(),
        })
    }

    fn postgres(&self) -> Postgres {
        Postgres {
            host: self.postgres_host.clone(),
            port: 5432,
            database: self.postgres_database.clone(),
            secret_ref: SecretRef {
                name: self.postgres_secret.clone(),
            },
            tls: None,
        }
    }
}

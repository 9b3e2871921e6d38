//! The `PostgreSQL` server that tests use, and schemas for single tests.

use tokio_postgres::config::Host;
use tokio_postgres::{Client, Config, NoTls};
use uuid::Uuid;

const SERVER: &str = "INNKEEPER_TEST_POSTGRES";

/// Where the server is, and the credentials for it.
pub struct Server {
    /// Host of the server.
    pub host: String,
    /// Port of the server.
    pub port: u16,
    /// The database in which tests have their schemas.
    pub database: String,
    /// Name of the user.
    pub username: String,
    /// Password of the user.
    pub password: String,
}

/// The server of the tests.
pub fn server() -> Server {
    let config = config();
    let Some(Host::Tcp(host)) = config.get_hosts().first() else {
        panic!("{SERVER} must name a host")
    };
    let password = config.get_password().unwrap_or_default().to_vec();
    Server {
        host: host.clone(),
        port: config.get_ports().first().copied().unwrap_or(5432),
        database: config.get_dbname().unwrap_or("postgres").to_owned(),
        username: config.get_user().unwrap_or("postgres").to_owned(),
        password: String::from_utf8(password).unwrap(),
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the server of the tests is depends on who runs them"
)]
fn config() -> Config {
    let url = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("set {SERVER} to postgres://USER:PASSWORD@HOST:PORT/DATABASE, as `cargo xtask services up` prints it")
    });
    url.parse().expect("the variable holds a URL of PostgreSQL")
}

/// A schema for a single test, which is dropped with this value. The store that is opened in it
/// creates it.
pub struct Schema {
    /// Name of the schema.
    pub name: String,
}

impl Schema {
    /// A schema with a name that no other test has.
    pub fn make() -> Self {
        Self {
            name: format!("test-{}", Uuid::now_v7().simple()),
        }
    }

    /// A plain connection that sees the schema, as a person with psql would.
    pub async fn connect(&self) -> Client {
        connect(&self.name).await
    }
}

impl Drop for Schema {
    fn drop(&mut self) {
        let name = std::mem::take(&mut self.name);
        // A runtime cannot block within another one, so this one runs on a thread of its own.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            let sql = format!(r#"DROP SCHEMA IF EXISTS "{name}" CASCADE"#);
            runtime.block_on(async { connect(&name).await.batch_execute(&sql).await.unwrap() });
        });
        dropping.join().unwrap();
    }
}

async fn connect(schema: &str) -> Client {
    let search_path = format!(r#"-c search_path="{schema}""#);
    let mut config = config();
    let (client, connection) = config.options(search_path).connect(NoTls).await.unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the connection ends with its client"
    )]
    tokio::spawn(connection);
    client
}

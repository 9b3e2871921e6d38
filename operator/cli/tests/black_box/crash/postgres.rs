//! Schemas of a real PostgreSQL, as a person with psql would see them.

use innkeeper_crds::database::{Postgres, SecretRef};
use tokio_postgres::config::Host;
use tokio_postgres::{Client, NoTls, Row as Columns};

use super::stored::{
    BOOKINGS, DEAD_LETTERS, FULFILLMENTS, KEYS_AS_TEXT, Key, PAYMENTS, ROWS_AS_TEXT, Row, Stored,
    UNSENT, VIEW,
};

const SERVER: &str = "INNKEEPER_TEST_POSTGRES";

#[expect(
    clippy::disallowed_methods,
    reason = "where the server of the tests is depends on who runs them"
)]
fn server() -> tokio_postgres::Config {
    let url = std::env::var(SERVER).unwrap_or_else(|_| {
        panic!("set {SERVER} to postgres://USER:PASSWORD@HOST:PORT/DATABASE, as `cargo xtask services up` prints it")
    });
    url.parse().unwrap()
}

/// The server as a platform names it.
pub fn database() -> Postgres {
    let server = server();
    let Some(Host::Tcp(host)) = server.get_hosts().first() else {
        panic!("{SERVER} must name a host")
    };
    Postgres {
        host: host.clone(),
        port: server.get_ports().first().copied().unwrap_or(5432),
        database: server.get_dbname().unwrap_or("postgres").to_owned(),
        secret_ref: SecretRef {
            name: "database".to_owned(),
        },
    }
}

/// User and password.
pub fn credentials() -> (String, String) {
    let server = server();
    let password = server.get_password().unwrap_or_default().to_vec();
    let user = server.get_user().unwrap_or("postgres").to_owned();
    (user, String::from_utf8(password).unwrap())
}

/// The schemas of a platform, which go with the test.
pub struct Schemas {
    /// The name of each, by its service.
    names: Vec<(String, String)>,
}

impl Schemas {
    pub fn new(names: Vec<(String, String)>) -> Self {
        Self { names }
    }

    pub async fn stored(&self) -> Stored {
        let bookings = self.connect(BOOKINGS).await;
        let payments = self.connect(PAYMENTS).await;
        let fulfillments = self.connect(FULFILLMENTS).await;
        let view = self.connect(VIEW).await;
        let mut stored = Stored {
            bookings: rows(&bookings).await,
            payments: rows(&payments).await,
            fulfillments: rows(&fulfillments).await,
            keys: keys(&bookings).await,
            ..Stored::default()
        };
        for client in [&bookings, &payments, &fulfillments, &view] {
            stored.unsent += number(client, UNSENT).await;
            stored.dead_letters += number(client, DEAD_LETTERS).await;
        }
        stored
    }

    /// Until when a booking process is the one that sends events, as long as it lives: seconds since 1970, or 0.
    pub async fn relayed_until(&self) -> i64 {
        let until = "SELECT coalesce(max(extract(epoch FROM until)), 0)::bigint FROM lease";
        number(&self.connect(BOOKINGS).await, until).await
    }

    async fn connect(&self, service: &str) -> Client {
        let named = self.names.iter().find(|(name, _)| name == service);
        connect(&named.unwrap().1).await
    }
}

impl Drop for Schemas {
    fn drop(&mut self) {
        let names = std::mem::take(&mut self.names);
        // A runtime cannot wait within another, so this one has a thread of its own.
        let dropping = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            for (_, schema) in names {
                let sql = format!(r#"DROP SCHEMA IF EXISTS "{schema}" CASCADE"#);
                runtime
                    .block_on(async { connect(&schema).await.batch_execute(&sql).await.unwrap() });
            }
        });
        dropping.join().unwrap();
    }
}

async fn connect(schema: &str) -> Client {
    let search_path = format!(r#"-c search_path="{schema}""#);
    let mut server = server();
    let (client, connection) = server.options(search_path).connect(NoTls).await.unwrap();
    #[expect(
        clippy::disallowed_methods,
        reason = "the connection ends with its client"
    )]
    tokio::spawn(connection);
    client
}

async fn rows(client: &Client) -> Vec<Row> {
    let rows = client.query(ROWS_AS_TEXT, &[]).await.unwrap();
    rows.iter().map(row).collect()
}

fn row(columns: &Columns) -> Row {
    Row::new(
        columns.get(0),
        columns.get(1),
        columns.get(2),
        columns.get(3),
    )
}

async fn keys(client: &Client) -> Vec<Key> {
    let keys = client.query(KEYS_AS_TEXT, &[]).await.unwrap();
    keys.iter().map(key).collect()
}

fn key(columns: &Columns) -> Key {
    let status: Option<i32> = columns.get(2);
    Key {
        text: columns.get(0),
        story: columns.get(1),
        status: status.map(i64::from),
        location: columns.get(3),
    }
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

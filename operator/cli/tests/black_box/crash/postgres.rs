//! The schemas of a real PostgreSQL, read with plain SQL.

use innkeeper_crds::database::{Postgres, SecretRef};
use innkeeper_testkit::postgres::{Schema, server};
use tokio_postgres::{Client, Row as Columns};

use super::stored::{
    BOOKINGS, DEAD_LETTERS, FULFILLMENTS, KEYS_AS_TEXT, Key, PAYMENTS, ROWS_AS_TEXT, Row, Stored,
    UNSENT, VIEW,
};

/// The server as a platform names it.
pub fn database() -> Postgres {
    let server = server();
    Postgres {
        host: server.host,
        port: server.port,
        database: server.database,
        secret_ref: SecretRef {
            name: "database".to_owned(),
        },
        tls: None,
    }
}

/// The schemas of a platform, which are dropped with this value.
pub struct Schemas {
    /// Each with the name of its service.
    schemas: Vec<(String, Schema)>,
}

impl Schemas {
    pub fn new(schemas: Vec<(String, Schema)>) -> Self {
        Self { schemas }
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

    /// When the lease on relaying bookings ends, in seconds since 1970; 0 without a lease.
    pub async fn relayed_until(&self) -> i64 {
        let until = "SELECT coalesce(max(extract(epoch FROM until)), 0)::bigint FROM lease";
        number(&self.connect(BOOKINGS).await, until).await
    }

    async fn connect(&self, service: &str) -> Client {
        let found = self.schemas.iter().find(|(name, _)| name == service);
        found.unwrap().1.connect().await
    }
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
        saga: columns.get(1),
        status: status.map(i64::from),
        location: columns.get(3),
    }
}

async fn number(client: &Client, sql: &str) -> i64 {
    client.query_one(sql, &[]).await.unwrap().get(0)
}

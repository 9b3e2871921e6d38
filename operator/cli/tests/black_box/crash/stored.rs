//! What is stored in the databases, as plain SQL shows it.

use serde_json::Value;

/// The names of the services in the example.
pub const BOOKINGS: &str = "reservation";
pub const PAYMENTS: &str = "pay";
pub const FULFILLMENTS: &str = "rent";
pub const VIEW: &str = "myreservation";

/// The rows of a table.
pub const ROWS: &str = "SELECT correlation_id, id, state, body FROM rows";
#[cfg(feature = "services")]
pub const ROWS_AS_TEXT: &str =
    "SELECT correlation_id::text, id, state, body::text FROM rows WHERE id IS NOT NULL";

pub const KEYS: &str =
    "SELECT key, correlation_id, answer_status, answer_location_id FROM idempotency_keys";
#[cfg(feature = "services")]
pub const KEYS_AS_TEXT: &str =
    "SELECT key, correlation_id::text, answer_status, answer_location_id FROM idempotency_keys";

/// Counts of unpublished events and of dead letters.
#[cfg(feature = "services")]
pub const UNSENT: &str = "SELECT count(*) FROM outbox WHERE published_at IS NULL";
pub const DEAD_LETTERS: &str = "SELECT count(*) FROM dead_letters";

/// What all services have stored.
#[derive(Debug, Default)]
pub struct Stored {
    pub bookings: Vec<Row>,
    pub payments: Vec<Row>,
    pub fulfillments: Vec<Row>,
    pub keys: Vec<Key>,
    pub unsent: i64,
    pub dead_letters: i64,
}

#[derive(Debug)]
pub struct Row {
    /// Correlation id of its saga.
    pub saga: String,
    pub id: i64,
    pub state: String,
    pub customer: String,
    /// Public id of the booking.
    pub booking: Option<i64>,
}

/// An idempotency key with the answer that is stored for it.
#[derive(Debug)]
pub struct Key {
    pub text: String,
    pub saga: String,
    pub status: Option<i64>,
    pub location: Option<i64>,
}

impl Row {
    pub fn new(saga: String, id: i64, state: String, body: &str) -> Self {
        let body: Value = serde_json::from_str(body).unwrap();
        let snapshot = &body["snapshot"];
        Self {
            saga,
            id,
            state,
            customer: snapshot["customer"].as_str().unwrap_or_default().to_owned(),
            booking: snapshot["ids"]["booking"].as_i64(),
        }
    }

    /// Whether it is a payment whose money is authorized or captured.
    pub fn is_live(&self) -> bool {
        matches!(self.state.as_str(), "authorized" | "captured")
    }
}

/// A platform whose rows and log a test can look at from outside.
pub trait Observable {
    /// What is stored in the databases.
    async fn stored(&self) -> Stored;

    /// The end of the log, and the position of each consumer group.
    async fn log(&self) -> Progress;
}

/// How far a log is read, in numbers of records.
#[derive(Debug, Eq, PartialEq)]
pub struct Progress {
    pub end: i64,
    pub groups: Vec<i64>,
}

//! What the tests of several crates share: a mock clock, a store in memory, waiting with a
//! deadline, the length of load, Kafka topics, PostgreSQL schemas, and the commands of components.
//! It is only compiled for tests, and never imports a crate whose tests import it. Start reading at
//! [`patience`].
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

pub mod clock;
pub mod commands;
pub mod kafka;
pub mod load;
pub mod patience;
pub mod postgres;
pub mod store;

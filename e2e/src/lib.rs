//! What the end-to-end tests look with: the Kubernetes API, HTTP, and plain Kafka and SQL clients, on a real cluster.
//! It never imports a part of the product but the API types, so that nothing is tested against itself.
//! Start reading at [`lanes`], then at `tests/platforms/main.rs`.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

pub mod diagnosis;
pub mod example;
pub mod http;
pub mod kafka;
pub mod kubernetes;
pub mod lanes;
pub mod load;
pub mod namespace;
pub mod operator;
pub mod postgres;
pub mod site;
pub mod watch;
pub mod webhook;

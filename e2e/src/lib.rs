//! The tools of the end-to-end tests: clients of the Kubernetes API, HTTP, Kafka and SQL, on a real
//! cluster. It imports no part of the product except the API types, so that nothing is tested
//! against itself. Start reading at [`lanes`], then at `tests/platforms/main.rs`.
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
pub mod rows;
pub mod secured_kafka;
pub mod site;
pub mod watch;
pub mod webhook;

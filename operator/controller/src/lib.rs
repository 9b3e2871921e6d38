//! The operator: it keeps platforms, their services and their topics as their objects describe
//! them. It decides nothing that `innkeeper-plan` can decide, never takes objects that belong to
//! somebody else, and writes nothing while nothing changes. Start reading at [`run()`], then at the
//! reconciliation of one kind, such as `domain_service.rs`, whose modules are its steps.

mod admin;
mod cache;
mod certificates;
mod context;
mod controllers;
mod domain_service;
mod error;
mod events;
#[cfg(test)]
mod fake_api_server;
mod kafka;
mod kafka_call;
mod leader;
mod ledger;
mod metrics;
mod options;
mod ownership;
mod platform;
mod pod_admin;
mod readiness;
mod requeue;
mod rollouts;
mod run;
#[cfg(test)]
mod silence;
mod status;
mod topic;
mod unreadable;

pub use context::Scope;
pub use leader::LostLease;
pub use options::{DEFAULT_TOPIC_RESYNC, Options, Standby};
pub use run::{RunError, run};

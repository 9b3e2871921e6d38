//! The operator: it keeps platforms, their services and their topics on a cluster as their objects describe them.
//! It decides nothing that `innkeeper-plan` can decide, never takes what belongs to someone else, and writes nothing while nothing changes.
//! Start reading at [`run()`], then at one kind's reconciliation, whose files are its steps: [`domain_service`].

mod admin;
mod context;
mod controllers;
pub mod domain_service;
mod error;
mod events;
mod kafka;
mod leader;
mod metrics;
mod options;
mod ownership;
pub mod permissions;
pub mod platform;
mod readiness;
mod run;
mod status;
pub mod topic;
mod verdict;

pub use context::{Context, Scope};
pub use error::Error;
pub use options::{DEFAULT_TOPIC_RESYNC, Options, Standby};
pub use run::{RunError, run};
pub use verdict::{Reason, State, Verdict};

//! Decides what to do about a DomainService, given what exists of it, and which status it gets.

pub mod callees;
pub mod conditions;
pub mod config_maps;
pub mod desired;
pub mod encryption;
pub mod findings;
pub mod lost;
pub mod others;
mod outcome;
mod plan;
pub mod pods;
mod status;
mod template;

pub use outcome::ServiceOutcome;
pub use plan::{ServicePlan, plan};
pub use status::status;

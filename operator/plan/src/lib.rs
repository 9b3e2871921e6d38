//! The plan: computes everything that should exist for a platform from its file, in the same way
//! for every executor. It is pure: it uses no client, clock, environment or file, and knows of the
//! cluster only what it is given. Start reading at [`read()`], then [`validate()`] and
//! [`expand()`]; [`names`] is the only module that formats names.

pub mod credentials;
pub mod domain_service;
pub mod executor;
pub mod expand;
pub mod facts;
#[cfg(any(test, feature = "fixtures"))]
pub mod fixtures;
pub mod kinds;
pub mod names;
pub mod ownership;
pub mod permissions;
pub mod platform;
pub mod read;
pub mod refusal;
mod release;
pub mod render;
pub mod rendered;
pub mod size;
pub mod status;
pub mod topic;
pub mod validate;
pub mod verdict;

pub use credentials::Warning;
pub use executor::{ClusterDefaults, Executor, LocalDefaults};
pub use expand::{Expansion, expand};
pub use facts::Facts;
pub use read::{PlatformFile, read};
pub use refusal::{Refusal, Refusals, Refuser};
pub use rendered::Rendered;
pub use validate::{Component, ValidatedPlatform, ValidatedService, validate, validate_service};

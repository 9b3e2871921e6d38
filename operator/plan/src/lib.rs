//! The plan: from a platform's file to everything that should exist for it, the same for every executor.
//! It is pure: no client, no clock, no environment, no file, and never a look at what a cluster holds that it was not given.
//! Start reading at [`read()`], then [`validate()`] and [`expand()`]; [`names`] is the one place that formats a name.

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
pub mod render;
pub mod rendered;
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

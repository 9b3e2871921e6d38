//! The Kubernetes API of Innkeeper: three kinds, their schemas, and the rules that the API server
//! checks. It contains only types, and never reads a cluster, a file or a clock. Checks that need
//! more than one object are in `innkeeper-plan`. Start reading at [`BookingPlatformSpec`], which
//! expands to [`DomainServiceSpec`]s and an [`EventTopicSpec`].

#![warn(missing_docs)]

pub mod component;
pub mod database;
pub mod domain_service;
pub mod duration;
pub mod event_topic;
pub mod generate;
pub mod kafka;
pub mod platform;
pub mod refusals;
pub mod rules;
mod schema;
pub mod status;
pub mod tls;
pub mod workload;

pub use domain_service::{DomainService, DomainServiceSpec, DomainServiceStatus};
pub use duration::Duration;
pub use event_topic::{EventTopic, EventTopicSpec, EventTopicStatus};
pub use generate::generate;
pub use platform::{BookingPlatform, BookingPlatformSpec, BookingPlatformStatus};
pub use status::{Condition, ConditionStatus};

/// The API group of every kind.
pub const GROUP: &str = "innkeeper.dev";
/// The API version of every kind.
pub const VERSION: &str = "v1alpha1";

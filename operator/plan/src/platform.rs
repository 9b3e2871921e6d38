//! The state of a platform, given the states of its children.

mod children;
pub mod conditions;
pub mod defaults;
mod outcome;
mod status;

pub use children::{Child, Children};
pub use outcome::PlatformOutcome;
pub use status::{pinned, status};

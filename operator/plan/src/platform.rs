//! How a platform stands, given how its children stand.

mod children;
pub mod conditions;
mod outcome;
mod status;

pub use children::{Child, Children};
pub use outcome::PlatformOutcome;
pub use status::{pinned, status};

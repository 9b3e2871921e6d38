//! The pure half of every service: time, refusals, the ports to storage and log, and what crosses them.
//! It names no IO library and never decides what a component does.
//! Start reading at [`store::Store`] and [`log::Log`].

pub mod clock;
pub mod crash;
pub mod log;
pub mod rejection;
pub mod store;

pub use clock::Clock;
pub use crash::{CrashPlan, CrashPoint};
pub use rejection::Rejection;

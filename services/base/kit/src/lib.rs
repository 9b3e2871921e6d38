//! The pure half of every service: time, refusals, the ports to storage and log, typed rows, and a platform's words read and shown.
//! It names no IO library and never decides what a component does.
//! Start reading at [`entity::Entity`], then the ports [`store::Store`] and [`log::Log`].

mod blank;
pub mod clock;
pub mod contradiction;
pub mod crash;
pub mod entity;
pub mod json;
pub mod label;
pub mod log;
pub mod outbox;
pub mod rejection;
pub mod repository;
pub mod request;
pub mod show;
pub mod store;

pub use clock::Clock;
pub use crash::{CrashPlan, CrashPoint};
pub use entity::{Entity, State};
pub use rejection::{Failure, Rejection};
pub use repository::{Repository, Stored};

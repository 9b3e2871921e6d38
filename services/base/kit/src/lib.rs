//! The pure half of every service: typed rows, the ports to store and log, rejections, and reading
//! and showing data in a platform's words. It uses no IO library and has no rules of a single
//! component. Start reading at [`entity::Entity`], then the ports [`store::Store`] and
//! [`log::Log`].

#![warn(missing_docs)]

mod blank;
pub mod clock;
pub mod contradiction;
pub mod crash;
pub mod entity;
pub mod json;
pub mod label;
pub mod log;
pub mod outbox;
pub mod principal;
pub mod rejection;
pub mod repository;
pub mod request;
pub mod show;
pub mod store;
mod store_error;
pub mod transport;

pub use clock::Clock;
pub use crash::{CrashPlan, CrashPoint};
pub use entity::{Entity, State};
pub use principal::Principal;
pub use rejection::{Failure, Rejection};
pub use repository::{Repository, Stored};

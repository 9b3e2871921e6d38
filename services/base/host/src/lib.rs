//! Hosts one service: opens its database, starts its component with server, relay, consumer and
//! chores, and shuts all of it down in order. It never decides which services there are, and opens
//! no log, since only its caller knows whether the log is shared. Start reading at
//! [`Service::start`]; the table of components is [`components`].

pub mod components;
pub mod service;

pub use innkeeper_runtime::neighbours::Neighbours;
pub use innkeeper_runtime::server::Listener;
pub use service::{Backing, Launch, Service, StartError};

//! Hosts one service: opens its database, starts its component with server, relay, consumer and chores, and ends all in order.
//! It never decides which services there are, nor opens a log: whoever starts the service knows whether its log is shared.
//! Start reading at [`Service::start`]; the table of components is [`components`].

pub mod components;
pub mod service;

pub use service::{Launch, Service, StartError};

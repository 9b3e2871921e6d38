//! The process around every service: HTTP server and client, problems, health, metrics, start and
//! shutdown. It knows no component, and reads neither the environment nor process globals. Start
//! reading at [`server::serve`] and [`edge::around`], then [`lifecycle::Lifecycle`].

pub mod admin;
pub mod callee;
pub mod client;
pub mod component;
pub mod consumer;
pub mod content;
pub mod context;
pub mod cors;
pub mod database_watch;
pub mod dead_letters;
pub mod edge;
pub mod health;
pub mod json;
pub mod lifecycle;
pub mod metrics;
pub mod neighbours;
pub mod problem;
pub mod pruning;
pub mod reception;
pub mod relay;
pub mod request;
pub mod resource;
pub mod safety_net;
pub mod server;
pub mod shutdown;
pub mod transport;

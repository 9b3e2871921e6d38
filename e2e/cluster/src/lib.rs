//! A real Kubernetes, Kafka and `PostgreSQL` on one Linux machine without Docker: built, cached, started and stopped.
//! It never touches the host's own network, services or clusters, and never leaves anything running once told to stop.
//! Start reading at [`services`] (Kafka and `PostgreSQL` alone, on loopback).

pub mod command;
pub mod daemon;
pub mod deadline;
pub mod folders;
pub mod kafka;
pub mod parts;
pub mod place;
pub mod postgres;
pub mod progress;
pub mod services;

//! A real Kubernetes, Kafka and `PostgreSQL` on one Linux machine without Docker: builds, caches,
//! starts and stops them. It never touches the host's own network, services or clusters, and leaves
//! nothing running once it is told to stop. Start reading at [`cluster`], or at [`services`] for
//! Kafka and `PostgreSQL` alone on loopback.

mod apiserver;
pub mod authority;
mod certificates;
pub mod cluster;
mod cluster_error;
pub mod command;
mod containerd;
mod controllers;
pub mod daemon;
pub mod deadline;
mod dns;
mod etcd;
pub mod folders;
pub mod kafka;
mod kernel;
mod kubelet;
mod layout;
mod metrics;
pub mod network;
pub mod network_namespace;
pub mod parts;
pub mod postgres;
pub mod progress;
mod proxy;
pub mod secured_kafka;
pub mod services;
mod teardown;
pub mod tls_postgres;

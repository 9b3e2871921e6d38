//! Carries plans out on this machine: a whole platform in one process (`innkeeper dev`).
//! It never decides what should exist: that is the plan's. The services are those that run in pods.
//! Start reading at [`platform::Prepared::bind`].

pub mod platform;
pub mod screen;

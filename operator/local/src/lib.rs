//! Carries plans out on this machine: one service in a process (`innkeeper serve`), or a whole platform in one (`innkeeper dev`).
//! It never decides what should exist: that is the plan's, and both ways run the same services.
//! Start reading at [`service::Service::start`], then [`platform::Platform::start`].

pub mod component;
pub mod platform;
pub mod screen;
pub mod service;

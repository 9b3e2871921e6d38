//! Runs a whole platform in one process (`innkeeper dev`). It never decides what should exist,
//! which is the plan's job, and it runs the same services as pods do. Start reading at
//! [`platform::Prepared::bind`].

mod leftovers;
pub mod platform;
pub mod screen;

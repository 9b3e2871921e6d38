//! The commands, one file each.

pub mod dev;
pub mod serve;
pub mod validate;

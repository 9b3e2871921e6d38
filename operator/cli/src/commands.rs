//! The commands, one file each.

pub mod dev;
pub mod operator;
pub mod plan;
pub mod serve;
pub mod validate;

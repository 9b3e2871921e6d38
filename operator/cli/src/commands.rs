//! The commands, one file each.

pub mod dead_letters;
pub mod dev;
pub mod operator;
pub mod plan;
pub mod serve;
pub mod validate;

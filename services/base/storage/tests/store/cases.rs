//! The cases of the suite: what every store must do.

pub mod claims;
pub mod dead_letters;
pub mod inbox;
pub mod keys;
pub mod kill;
pub mod lifecycle;
pub mod outbox;
pub mod prune;
pub mod rows;
pub mod steps;
pub mod writes;

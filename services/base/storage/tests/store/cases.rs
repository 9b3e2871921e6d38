//! The cases: what every store must hold to.

pub mod claims;
pub mod inbox;
pub mod keys;
pub mod kill;
pub mod lifecycle;
pub mod outbox;
pub mod prune;
pub mod rows;
pub mod writes;

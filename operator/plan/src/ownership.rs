//! Decides whom an object belongs to, and what to do about changes that others made to it. The
//! operator never takes a name that belongs to somebody else, and never writes an object that is
//! still as it was applied.

pub mod admission;
pub mod changes;
pub mod comparison;
pub mod contested;
mod desired;
mod fields;
pub mod hash;
pub mod inventory;
pub mod managers;
pub mod notes;

pub use desired::{
    DesiredObject, Obstacle, Ownership, Refused, controller_of, obstacle, ownership_of, what,
};
pub use inventory::Inventory;

pub use hash::hash;
pub use notes::Notes;

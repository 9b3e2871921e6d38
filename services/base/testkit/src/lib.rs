//! What the tests of several crates share, so that each of it is written once: a clock that stands still.
//! It is only ever compiled for tests, and never holds what the tests of one crate alone need.
//! Start reading at [`clock`].

pub mod clock;

//! What the tests of several crates share, so that each of it is written once: a clock that stands still, and how long to wait.
//! It is only ever compiled for tests, and never imports a crate whose tests import it.
//! Start reading at [`patience`].
#![expect(
    clippy::panic,
    reason = "a test fails by panicking, in its fixtures too"
)]

pub mod clock;
pub mod patience;

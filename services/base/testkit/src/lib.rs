//! What the tests of several crates share, each written once: a clock that stands still, how long
//! to wait, topics, and schemas. It is only ever compiled for tests, and never imports a crate
//! whose tests import it. Start reading at [`patience`].
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

pub mod clock;
pub mod kafka;
pub mod patience;
pub mod postgres;

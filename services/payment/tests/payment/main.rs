//! The payment service in this process, on a store in memory.
#![expect(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking, in its fixtures too"
)]

mod given;
mod later;
mod releases;

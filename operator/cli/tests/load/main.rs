//! Load on the real program. It is a test program of its own, so that no other test runs beside it.
//!
//! `INNKEEPER_LOAD_SECONDS` sets its length, two minutes otherwise.

#[cfg(test)]
mod growth;
#[cfg(test)]
#[path = "../black_box/http.rs"]
#[expect(dead_code, reason = "the black-box tests use the rest")]
mod http;
#[cfg(test)]
#[path = "../black_box/platform.rs"]
#[expect(dead_code, reason = "the black-box tests use the rest")]
mod platform;
#[cfg(test)]
#[path = "../black_box/process.rs"]
#[expect(dead_code, reason = "the black-box tests use the rest")]
mod process;

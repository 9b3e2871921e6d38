//! One conformance suite for every store, against real SQLite and, with the feature `services`, a real PostgreSQL
//! (`INNKEEPER_TEST_POSTGRES=postgres://USER:PASSWORD@HOST:PORT/DATABASE`).

mod cases;
mod given;
#[cfg(feature = "services")]
mod postgres;
mod sqlite;
mod suite;

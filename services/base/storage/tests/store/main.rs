//! One conformance suite for every store, in memory, against real SQLite and, with the feature
//! `services`, a real PostgreSQL
//! (`INNKEEPER_TEST_POSTGRES=postgres://USER:PASSWORD@HOST:PORT/DATABASE`).

#[cfg(test)]
mod cases;
#[cfg(test)]
mod given;
#[cfg(test)]
mod memory;
#[cfg(test)]
#[cfg(feature = "services")]
mod pgbouncer;
#[cfg(test)]
mod platform_file;
#[cfg(test)]
#[cfg(feature = "services")]
mod postgres;
#[cfg(test)]
mod sqlite;
#[cfg(test)]
mod suite;

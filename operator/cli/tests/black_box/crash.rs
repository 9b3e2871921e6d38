//! Effects happen once, whatever happens: processes die by SIGKILL at every crash point and are
//! started again, and whatever their clients were told must still be true.

mod audit;
mod clients;
#[cfg(feature = "services")]
mod kafka;
mod on_own_file;
#[cfg(feature = "services")]
mod on_postgres;
mod on_sqlite;
#[cfg(feature = "services")]
mod postgres;
mod quiet;
mod recovery;
mod replay;
mod stored;
mod tables;
mod view;

#[cfg(feature = "services")]
pub use on_postgres::Site;

//! A small pool of read-only connections, each used by one thread at a time.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use innkeeper_kit::store::StoreError;
use rusqlite::Connection;
use tokio::sync::Semaphore;

use super::connection::{self, store_error};
use crate::OpenError;

const CONNECTIONS: u32 = 4;

/// The connections that are not in use, and a permit for each connection.
pub struct Readers {
    idle: Mutex<Vec<Connection>>,
    permits: Arc<Semaphore>,
}

impl Readers {
    /// Opens the connections to a file that exists.
    pub fn open(file: &Path) -> Result<Self, OpenError> {
        let idle = (0..CONNECTIONS)
            .map(|_| connection::open_for_reading(file))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            idle: Mutex::new(idle),
            permits: Arc::new(Semaphore::new(CONNECTIONS as usize)),
        })
    }

    /// Runs a query on a thread that may block.
    pub async fn run<T, F>(self: Arc<Self>, query: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        // An owned permit, so that it is held until the query is done even if its caller has gone.
        let permit = Arc::clone(&self.permits)
            .acquire_owned()
            .await
            .map_err(|_| StoreError::Closed)?;
        let query = move || {
            let answer = self.run_blocking(query);
            drop(permit);
            answer
        };
        tokio::task::spawn_blocking(query)
            .await
            .map_err(|error| StoreError::Failed(Box::new(error)))?
    }

    fn run_blocking<T>(
        &self,
        query: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let connection = self.lock_idle().pop().ok_or(StoreError::Closed)?;
        let lent = Lent {
            readers: self,
            connection: Some(connection),
        };
        let connection = lent.connection.as_ref().ok_or(StoreError::Closed)?;
        query(connection).map_err(store_error)
    }

    fn lock_idle(&self) -> std::sync::MutexGuard<'_, Vec<Connection>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for running queries, then closes the connections.
    pub async fn close(&self) {
        if let Ok(_all) = self.permits.acquire_many(CONNECTIONS).await {
            self.permits.close();
            self.lock_idle().clear();
        }
    }
}

/// A connection that is in use. It is given back even if its query panics.
struct Lent<'a> {
    readers: &'a Readers,
    connection: Option<Connection>,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.readers.lock_idle().extend(self.connection.take());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_query_that_panics_takes_no_connection_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("rows.db");
        Connection::open(&file).unwrap();
        let readers = Arc::new(Readers::open(&file).unwrap());
        for _ in 0..=CONNECTIONS {
            let panicking = |_: &Connection| -> rusqlite::Result<()> { panic!("on purpose") };
            let answer = Arc::clone(&readers).run(panicking).await;
            assert!(matches!(answer, Err(StoreError::Failed(_))));
        }
        let one = |it: &Connection| it.query_row("SELECT 1", [], |row| row.get::<_, i64>(0));
        assert_eq!(readers.run(one).await.unwrap(), 1);
    }
}

//! A piece of work for the writer's thread, and what becomes of it.

use std::cell::Cell;
use std::sync::Arc;

use innkeeper_kit::store::StoreError;
use jiff::Timestamp;
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use crate::sqlite::log::LogWriter;
use crate::sqlite::tables::{Session, Tables};

/// What all work of one commit shares.
pub struct Transaction<'a> {
    pub connection: &'a Connection,
    pub now: Timestamp,
    /// The log in the same file; `None` if there is none.
    pub log: Option<&'a LogWriter>,
    /// Whether the effect of an event is in the commit.
    pub has_effects: Cell<bool>,
}

impl<'a> Transaction<'a> {
    /// The connection, for the tables of a service.
    pub fn session(&self, tables: &'a Tables) -> Session<'a> {
        Session {
            connection: self.connection,
            tables,
        }
    }
}

/// A piece of work.
pub trait Work: Send {
    /// Does the work; `false` if it failed. It may be done again after it was undone.
    fn run(&mut self, transaction: &Transaction<'_>) -> bool;

    /// Tells the caller the result, or the failure of the commit.
    fn answer(self: Box<Self>, failure: Option<&CommitFailure>);
}

/// The failure of a commit, which all work in it is told.
pub struct CommitFailure {
    pub reason: String,
}

impl From<rusqlite::Error> for CommitFailure {
    fn from(error: rusqlite::Error) -> Self {
        Self {
            reason: format!("the commit failed: {error}"),
        }
    }
}

impl From<&CommitFailure> for StoreError {
    /// It is the fault of no single piece of work, so that each may be tried again.
    fn from(failure: &CommitFailure) -> Self {
        Self::Unavailable(failure.reason.as_str().into())
    }
}

/// Whom to wake once a result is durable.
pub struct Wake<T> {
    pub waiting: Arc<Notify>,
    /// Whether the result concerns them.
    pub is_due: fn(&T) -> bool,
}

/// Work with a caller who waits for its result.
pub struct Task<T, E, F> {
    pub work: F,
    pub outcome: Option<Result<T, E>>,
    pub reply: oneshot::Sender<Result<T, E>>,
    pub wake: Option<Wake<T>>,
}

impl<T, E, F> Work for Task<T, E, F>
where
    T: Send,
    E: From<StoreError> + Send,
    F: FnMut(&Transaction<'_>) -> Result<T, E> + Send,
{
    fn run(&mut self, transaction: &Transaction<'_>) -> bool {
        self.outcome = None; // if the work panics, it has none
        self.outcome = Some((self.work)(transaction));
        matches!(self.outcome, Some(Ok(_)))
    }

    fn answer(self: Box<Self>, failure: Option<&CommitFailure>) {
        let outcome = match failure {
            Some(failure) => Err(StoreError::from(failure).into()),
            None => self.outcome.unwrap_or_else(|| Err(panicked().into())),
        };
        if let (Ok(result), Some(wake)) = (&outcome, &self.wake)
            && (wake.is_due)(result)
        {
            wake.waiting.notify_one();
        }
        // The caller may have gone. The result is durable all the same.
        let _ = self.reply.send(outcome);
    }
}

fn panicked() -> StoreError {
    StoreError::Failed("the work on the database panicked".into())
}

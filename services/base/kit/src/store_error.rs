//! Why a [`Store`](crate::store::Store) fails. It has a module of its own, because what the port to
//! the store names, such as a failure of a step, contains it.

/// Why an operation of the store failed, and whether another attempt may succeed.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database cannot be reached or did not answer in time. A later attempt may succeed.
    #[error("the database is unavailable")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The database answered with an error that another attempt will not cure.
    #[error("the database answered with an error")]
    Failed(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row is in a state that this release does not know. A later release has written it.
    #[error("a row is in a state that this release does not know")]
    Unknown(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// What a row holds cannot be read.
    #[error("a row cannot be read")]
    Unreadable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store was closed because the service is stopping.
    #[error("the store is closed")]
    Closed,
}

impl StoreError {
    /// Whether the whole store is away, so that it is no fault of a row.
    pub const fn is_outage(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Closed)
    }
}

//! When to reconcile an object again of which no watch may report a change.

use std::time::Duration;

/// For an object that makes progress by itself.
pub(crate) const SOON: Duration = Duration::from_secs(5);
/// For an object that waits for somebody.
pub(crate) const LATER: Duration = Duration::from_secs(30);
/// For an object that is as described.
pub(crate) const ONCE_IN_A_WHILE: Duration = Duration::from_mins(10);

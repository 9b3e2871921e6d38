//! When to look again at an object of which nothing may tell that it has changed.

use std::time::Duration;

/// When to look again at what goes on by itself and may not tell.
pub(crate) const SOON: Duration = Duration::from_secs(5);
/// When to look again at what waits for someone who may not tell.
pub(crate) const LATER: Duration = Duration::from_secs(30);
/// When to look again at what is as it should be.
pub(crate) const ONCE_IN_A_WHILE: Duration = Duration::from_mins(10);

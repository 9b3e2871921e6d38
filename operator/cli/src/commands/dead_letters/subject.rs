//! What the commands are about: dead letters, or parked events.

use innkeeper_contracts::pod;

/// What a command is about.
pub struct Subject {
    /// Its path in the admin API.
    pub path: &'static str,
    /// The name of the command.
    pub command: &'static str,
    /// One of them, in words.
    pub noun: &'static str,
}

/// The records that a service could not handle.
pub const DEAD_LETTERS: Subject = Subject {
    path: pod::DEAD_LETTERS,
    command: "dead-letters",
    noun: "dead letter",
};

/// The events of a service that its log has refused.
pub const PARKED_EVENTS: Subject = Subject {
    path: pod::PARKED_EVENTS,
    command: "parked-events",
    noun: "parked event",
};

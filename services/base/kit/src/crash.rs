//! Crash points: steps after which a test may kill the process, to prove that a crash there neither
//! loses nor repeats an effect.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// A step of a booking after which a process may die.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CrashPoint {
    /// The pending booking is committed.
    PendingCommitted,
    /// The payment service has answered an authorize call.
    Authorized,
    /// The settled booking is committed and the client has no answer yet.
    ConfirmedCommitted,
    /// The relay has read events and has not appended them yet.
    OutboxSending,
    /// The log has taken events that are not deleted from the outbox yet.
    LogAppended,
    /// A consumer's effect is committed and its offset is not.
    EffectCommitted,
    /// Pending bookings are claimed, and none of them is settled yet.
    Recovering,
    /// The steps of a shared commit have run, and it is not committed yet.
    Committing,
    /// A shared commit is durable and nobody has an answer yet.
    Committed,
    /// One of the steps of a shared commit is answered, and the others are not.
    Answering,
    /// A consumer's effect has run, and its shared commit is not committed yet.
    EffectsCommitting,
}

impl CrashPoint {
    /// Every crash point: those that a booking passes, in order, that of recovery, and those of a
    /// shared commit.
    pub const ALL: [Self; 11] = [
        Self::PendingCommitted,
        Self::Authorized,
        Self::ConfirmedCommitted,
        Self::OutboxSending,
        Self::LogAppended,
        Self::EffectCommitted,
        Self::Recovering,
        Self::Committing,
        Self::Committed,
        Self::Answering,
        Self::EffectsCommitting,
    ];

    /// The text form, as in `--crash-after`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::PendingCommitted => "pending-committed",
            Self::Authorized => "authorized",
            Self::ConfirmedCommitted => "confirmed-committed",
            Self::OutboxSending => "outbox-sending",
            Self::LogAppended => "log-appended",
            Self::EffectCommitted => "effect-committed",
            Self::Recovering => "recovering",
            Self::Committing => "committing",
            Self::Committed => "committed",
            Self::Answering => "answering",
            Self::EffectsCommitting => "effects-committing",
        }
    }

    /// The crash point with this text form; `None` for an unknown one.
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|point| point.name() == text)
    }
}

/// At which crash point, and at which passing of it, the process dies; by default never.
#[derive(Clone, Default)]
pub struct CrashPlan(Option<Arc<Planned>>);

struct Planned {
    point: CrashPoint,
    passings_left: AtomicU32,
    kill: Box<dyn Fn() + Send + Sync>,
}

impl CrashPlan {
    /// Calls `kill`, which is to end the process, at the given passing (from 1) of a crash point.
    pub fn at(point: CrashPoint, passing: u32, kill: impl Fn() + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(Planned {
            point,
            passings_left: AtomicU32::new(passing),
            kill: Box::new(kill),
        })))
    }

    /// Reports that the process has passed a crash point.
    pub fn passed(&self, point: CrashPoint) {
        let Some(planned) = &self.0 else { return };
        if planned.point == point && planned.passings_left.fetch_sub(1, Ordering::SeqCst) == 1 {
            (planned.kill)();
        }
    }
}

//! One record: it is tried until it has its effect, or becomes a dead letter.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;

use innkeeper_kit::log::Record;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::DeadLetterKind;
use prometheus::IntCounterVec;
use tokio::sync::Notify;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::dead_letters::{DeadLetterReason, DeadLetters};
use crate::metrics::{Metrics, names};
use crate::problem::causes;
use crate::reception::NotReceived;

/// The pause before the first retry; it doubles up to [`LONGEST_PAUSE`].
const FIRST_PAUSE: Duration = Duration::from_millis(50);
/// The longest pause between retries.
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// How many records may fail at once. Beyond that they become dead letters at once, so that a fault
/// of every record does not fill the memory.
pub const MAX_FAILING: usize = 10_000;

/// How long a record whose effect fails is tried while there is no room for others.
const TRY_IN_A_CROWD_FOR: Duration = Duration::from_secs(10);

/// The outcomes of a record, as values of the metric's label.
const OUTCOMES: [&str; 4] = ["effect", "none", "duplicate", "dead-letter"];

/// Handles single records of one service.
pub struct Attempts {
    dead_letters: Arc<DeadLetters>,
    consumed: IntCounterVec,
    /// How long a record whose effect fails is tried.
    pub try_for: Duration,
    /// The records whose effect fails.
    pub failing: Failing,
}

/// How many records are being tried again because their effect failed.
#[derive(Default)]
pub struct Failing {
    count: AtomicUsize,
    is_crowded: AtomicBool,
    /// Tells when there are more.
    pub grew: Notify,
}

/// What was tried with one record so far.
struct Attempted<'a> {
    tries: u32,
    failing: Option<(Instant, IsFailing<'a>)>,
    pause: Duration,
}

impl Attempts {
    /// Nothing was tried yet.
    pub fn new(dead_letters: Arc<DeadLetters>, metrics: &Metrics) -> Self {
        let consumed = metrics.counters(&names::EVENTS_CONSUMED);
        for outcome in OUTCOMES {
            consumed.with_label_values(&[outcome]);
        }
        Self {
            dead_letters,
            consumed,
            try_for: Duration::MAX,
            failing: Failing::default(),
        }
    }

    /// Passes over a record that has no effect here; `false` if it must be handled.
    pub fn pass_over(&self, record: &Record) -> bool {
        let passed_over = self.dead_letters.reception().passes_over(&record.content);
        if passed_over {
            self.count(outcome(Effect::None));
        }
        passed_over
    }

    /// Handles a record; `false` if the service had to stop first.
    pub async fn handle(&self, record: Arc<Record>, ending: &CancellationToken) -> bool {
        let mut attempted = Attempted {
            tries: 0,
            failing: None,
            pause: FIRST_PAUSE,
        };
        loop {
            let reception = self.dead_letters.reception();
            match reception.apply(&record.content).await {
                Ok(effect) => {
                    self.count(outcome(effect));
                    return true;
                }
                Err(error) => {
                    let letter = self.letter_after(error, &record, &mut attempted);
                    if let Some(letter) = letter
                        && self.bury(&record, &letter).await
                    {
                        return true;
                    }
                }
            }
            let pausing = ending.run_until_cancelled(tokio::time::sleep(attempted.pause));
            if pausing.await.is_none() {
                return false;
            }
            attempted.pause = (attempted.pause * 2).min(LONGEST_PAUSE);
        }
    }

    /// Whether a record becomes a dead letter after an attempt, and why.
    fn letter_after<'a>(
        &'a self,
        error: NotReceived,
        record: &Record,
        attempted: &mut Attempted<'a>,
    ) -> Option<DeadLetterReason> {
        let (kind, error) = match error {
            NotReceived::Away(error) => {
                tracing::warn!(error = causes(&error), "waiting for the database");
                return None;
            }
            NotReceived::Hopeless(kind, error) => (kind, error),
            NotReceived::Failed(error) => (DeadLetterKind::Failed, error),
        };
        attempted.tries += 1;
        if kind == DeadLetterKind::Failed && !self.is_given_up(attempted) {
            let (partition, offset) = (record.partition, record.offset);
            tracing::warn!(error, partition, offset, "trying a record again");
            return None;
        }
        Some(DeadLetterReason {
            kind,
            error,
            tries: attempted.tries,
        })
    }

    fn is_given_up<'a>(&'a self, attempted: &mut Attempted<'a>) -> bool {
        let first = || (Instant::now(), self.failing.begin());
        let (since, _) = attempted.failing.get_or_insert_with(first);
        let tried_for = since.elapsed();
        tried_for >= self.try_for
            || self.failing.count() > MAX_FAILING
            || tried_for >= TRY_IN_A_CROWD_FOR && self.failing.is_crowded()
    }

    /// Makes a record a dead letter; `false` if that is not possible now.
    async fn bury(&self, record: &Record, reason: &DeadLetterReason) -> bool {
        match self.dead_letters.add(record, reason).await {
            Ok(()) => {
                self.count("dead-letter");
                true
            }
            Err(error) => {
                tracing::warn!(error = causes(&error), "a dead letter cannot be saved yet");
                false
            }
        }
    }

    fn count(&self, outcome: &str) {
        self.consumed.with_label_values(&[outcome]).inc();
    }
}

fn outcome(effect: Effect) -> &'static str {
    match effect {
        Effect::Done => "effect",
        Effect::None => "none",
        Effect::Duplicate => "duplicate",
    }
}

/// A record that fails, as long as this exists.
struct IsFailing<'a>(&'a Failing);

impl Failing {
    pub fn count(&self) -> usize {
        self.count.load(Ordering::Relaxed)
    }

    /// Records whether there is no room for other records.
    pub fn set_crowded(&self, is_crowded: bool) {
        self.is_crowded.store(is_crowded, Ordering::Relaxed);
    }

    fn is_crowded(&self) -> bool {
        self.is_crowded.load(Ordering::Relaxed)
    }

    fn begin(&self) -> IsFailing<'_> {
        self.count.fetch_add(1, Ordering::Relaxed);
        self.grew.notify_one();
        IsFailing(self)
    }
}

impl Drop for IsFailing<'_> {
    fn drop(&mut self) {
        self.0.count.fetch_sub(1, Ordering::Relaxed);
    }
}

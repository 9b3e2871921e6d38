//! The safety net behind events: a service that holds something for a booking, such as money, asks
//! the booking service what became of it, so that no lost event lets it hold that for ever.
//!
//! It reads the rows of the service by public id, behind a cursor in memory, and asks about a page
//! of them in one call. Rows that heard of nothing are asked about once they are
//! old enough; all rows that hold something are asked about in a *full look* now and then, which
//! finds what ended later. Nothing is written for a booking that lives. Several processes of one
//! service look each for itself: what they find is settled once, by the state of the row.

mod inquiry;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::calls::{BookingAnswer, BookingOutcome, MAX_BOOKINGS};
use innkeeper_contracts::settings::BookingAddress;
use innkeeper_kit::store::{Query, Row, Store, StoreError};
use innkeeper_kit::{Clock, Failure};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

use crate::callee::InvalidAddress;
use crate::component::Chore;
use crate::context::Context;
use crate::problem::causes;
use inquiry::{Inquiry, InquiryError};

/// How long after its start a process begins its first full look.
const FIRST_FULL_LOOK_AFTER: SignedDuration = SignedDuration::from_mins(10);

/// The time between the beginnings of two full looks.
const FULL_LOOK_EVERY: SignedDuration = SignedDuration::from_hours(1);

/// The shortest and the longest pause before a service that did not answer, or that has not decided
/// yet, is asked again. The pause doubles while it does not answer.
const SHORTEST_PAUSE: SignedDuration = SignedDuration::from_secs(1);
const LONGEST_PAUSE: SignedDuration = SignedDuration::from_mins(5);

/// What a row holds for its booking.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Held {
    Nothing,
    /// Something, and it has not heard yet that the booking is confirmed.
    Unheard,
    /// Something, and it has heard that the booking is confirmed.
    Heard,
}

/// A service that holds something for bookings.
#[async_trait]
pub trait Holder: Send + Sync {
    /// What a row holds.
    fn held(&self, row: &Row) -> Held;

    /// Does what the lost event would have done, once, and returns whether anything was left to do.
    /// The booking is not pending.
    async fn settle(&self, booking: &BookingAnswer) -> Result<bool, Failure>;
}

/// The chore that asks.
pub struct SafetyNet {
    holder: Arc<dyn Holder>,
    store: Arc<dyn Store>,
    clock: Arc<dyn Clock>,
    inquiry: Inquiry,
    /// How old a row must be.
    ask_after: SignedDuration,
    progress: Mutex<Progress>,
}

/// How far the process has looked.
#[derive(Default)]
struct Progress {
    /// The public id of the last row that was looked at.
    after: i64,
    /// Whether this is a full look.
    is_full: bool,
    /// When the next full look begins.
    next_full_look: Option<Timestamp>,
    /// When to ask again about bookings that were pending.
    pending: BTreeMap<Uuid, Timestamp>,
    /// The present pause, while a service does not answer.
    pause: Option<(SignedDuration, Timestamp)>,
}

/// Why a round ended early.
#[derive(Debug, thiserror::Error)]
enum Interruption {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Unanswered(#[from] InquiryError),
}

impl SafetyNet {
    /// The chore of a service that serves these booking services; `None` if there are none. It asks
    /// about what is older than twice the time that a booking may be pending.
    pub fn of(
        holder: Arc<dyn Holder>,
        services: &[BookingAddress],
        context: &Context,
    ) -> Result<Option<Self>, InvalidAddress> {
        let pending_timeouts = services.iter().map(|it| it.pending_timeout_seconds);
        let Some(longest) = pending_timeouts.max() else {
            return Ok(None);
        };
        Ok(Some(Self {
            holder,
            store: Arc::clone(&context.store),
            clock: Arc::clone(&context.clock),
            inquiry: Inquiry::of(services, context)?,
            ask_after: SignedDuration::from_secs(i64::from(longest) * 2),
            progress: Mutex::default(),
        }))
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn look(&self, progress: &mut Progress) -> Result<(), Interruption> {
        let now = self.clock.now();
        if progress.is_paused(now) {
            return Ok(());
        }
        for sagas in progress.pending_until(now).chunks(MAX_BOOKINGS) {
            self.ask(sagas, progress, now).await?;
        }
        progress.begin_full_look_if_due(now);
        loop {
            let rows = self.next_rows(progress.after, now).await?;
            let Some(last) = rows.last().and_then(|row| row.id) else {
                progress.is_full = false;
                return Ok(());
            };
            let wanted = rows.iter().filter(|row| self.wants(row, progress));
            let sagas: Vec<Uuid> = wanted.map(|row| row.correlation_id).collect();
            self.ask(&sagas, progress, now).await?;
            progress.after = last;
        }
    }

    /// The next rows that are old enough.
    async fn next_rows(&self, after: i64, now: Timestamp) -> Result<Vec<Row>, StoreError> {
        let limit = u32::try_from(MAX_BOOKINGS).unwrap_or(u32::MAX);
        let rows = self.store.list(Query::page(after, limit)).await?;
        let is_old = |row: &Row| now.duration_since(row.created_at) >= self.ask_after;
        Ok(rows.into_iter().take_while(is_old).collect())
    }

    fn wants(&self, row: &Row, progress: &Progress) -> bool {
        match self.holder.held(row) {
            Held::Nothing => false,
            Held::Unheard => true,
            Held::Heard => progress.is_full,
        }
    }

    async fn ask(
        &self,
        sagas: &[Uuid],
        progress: &mut Progress,
        now: Timestamp,
    ) -> Result<(), Interruption> {
        if sagas.is_empty() {
            return Ok(());
        }
        for booking in self.inquiry.ask(sagas).await? {
            let saga = booking.correlation_id;
            if let BookingOutcome::Pending { until } = booking.outcome {
                let again = until.max(now + SHORTEST_PAUSE);
                progress.pending.insert(saga, again);
                continue;
            }
            match self.holder.settle(&booking).await {
                Ok(true) => {
                    let outcome = booking.outcome;
                    tracing::warn!(story = %saga, ?outcome, "an event of a booking had not come; its effect was made up for");
                }
                Ok(false) | Err(Failure::Rejected(_)) => {}
                Err(Failure::Store(error)) if error.is_outage() => {
                    return Err(error.into());
                }
                Err(Failure::Store(error)) => {
                    // One row must not keep the others from being looked at. The next full look
                    // finds it again.
                    tracing::error!(story = %saga, error = causes(&error), "what a booking holds cannot be settled");
                }
            }
            progress.pending.remove(&saga);
        }
        if progress.pause.take().is_some() {
            tracing::info!("booking services answer again");
        }
        Ok(())
    }
}

impl Progress {
    fn is_paused(&self, now: Timestamp) -> bool {
        self.pause.is_some_and(|(_, until)| now < until)
    }

    /// Doubles the pause; `true` if it is the first.
    fn lengthen_pause(&mut self, now: Timestamp) -> bool {
        let before = self.pause.map(|(pause, _)| pause);
        let pause = before.map_or(SHORTEST_PAUSE, |pause| (pause * 2).min(LONGEST_PAUSE));
        self.pause = Some((pause, now + pause));
        before.is_none()
    }

    fn pending_until(&self, now: Timestamp) -> Vec<Uuid> {
        let due = self.pending.iter().filter(|(_, again)| **again <= now);
        due.map(|(saga, _)| *saga).collect()
    }

    fn begin_full_look_if_due(&mut self, now: Timestamp) {
        let next = self
            .next_full_look
            .get_or_insert(now + FIRST_FULL_LOOK_AFTER);
        if *next <= now {
            *next = now + FULL_LOOK_EVERY;
            self.is_full = true;
            self.after = 0;
        }
    }
}

#[async_trait]
impl Chore for SafetyNet {
    fn name(&self) -> &'static str {
        "safety net behind events"
    }

    fn every(&self) -> Duration {
        Duration::from_secs(1)
    }

    async fn round(&self) -> Result<(), StoreError> {
        let mut progress = std::mem::take(&mut *self.progress());
        let looked = self.look(&mut progress).await;
        let ended = match looked {
            Ok(()) => Ok(()),
            Err(Interruption::Store(error)) => Err(error),
            Err(Interruption::Unanswered(error)) => {
                if progress.lengthen_pause(self.clock.now()) {
                    tracing::warn!(
                        error = causes(&error),
                        "what became of bookings is asked again until there is an answer"
                    );
                }
                Ok(())
            }
        };
        *self.progress() = progress;
        ended
    }
}

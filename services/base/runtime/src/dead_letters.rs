//! The dead letters of one service: what becomes one, and how they are replayed and discarded.
//!
//! Later events of the same saga do not wait for a dead letter: each component takes the events of
//! a saga in any order, and an end must not wait, since it is what gives money back.

mod letter;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_contracts::settings::Log as LogSettings;
use innkeeper_kit::Failure;
use innkeeper_kit::log::{Content, Record};
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{
    Changes, DeadLetter, DeadLetterKind, DeadLetterQuery, FailedReplay, Scope, Seen, Step,
    StepInput, StepOutcome, Store, StoreError, StoredDeadLetter,
};
use prometheus::IntGaugeVec;
use tokio::sync::Mutex;
use uuid::Uuid;

pub use letter::DeadLetterReason;

use crate::component::Chore;
use crate::context::Context;
use crate::metrics::{Metrics, names};
use crate::problem::causes;
use crate::reception::{NotReceived, Reception};

/// How often dead letters are counted, and those of kind `Unknown` looked through.
const EVERY: Duration = Duration::from_mins(1);

/// A dead letter that was tried in n rounds in vain is tried in every 2ⁿ-th round, but n counts up
/// to this: about once an hour.
const MAX_DOUBLINGS: u32 = 6;

/// How many dead letters are loaded at once.
const PAGE: u32 = 100;

/// What a replay came to.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Replayed {
    /// There is no dead letter with this id.
    Missing,
    /// The record was handled, and is no dead letter any more.
    Done(Effect),
    /// The record cannot be handled yet; the text is the new error.
    Again(String),
}

/// The dead letters of one service.
pub struct DeadLetters {
    store: Arc<dyn Store>,
    reception: Arc<Reception>,
    topic: String,
    counts: IntGaugeVec,
    rounds: Mutex<Rounds>,
}

/// What this process has tried by itself of what it knows. A new process tries everything.
#[derive(Default)]
struct Rounds {
    number: u32,
    /// In how many rounds a dead letter was tried in vain.
    vain: HashMap<Uuid, u32>,
}

impl Rounds {
    fn is_due(&self, letter: &DeadLetter) -> bool {
        let vain = self.vain.get(&letter.id).copied().unwrap_or_default();
        self.number.is_multiple_of(1 << vain.min(MAX_DOUBLINGS))
    }
}

impl DeadLetters {
    /// The dead letters of the service with this reception.
    pub fn new(context: &Context, reception: Arc<Reception>, metrics: &Metrics) -> Self {
        let counts = metrics.gauges(&names::DEAD_LETTERS);
        for kind in DeadLetterKind::ALL {
            counts.with_label_values(&[kind.as_str()]);
        }
        Self {
            store: Arc::clone(&context.store),
            reception,
            topic: topic(context.settings.log.as_ref()),
            counts,
            rounds: Mutex::default(),
        }
    }

    /// What lets records have their effect.
    pub(crate) fn reception(&self) -> &Arc<Reception> {
        &self.reception
    }

    /// Saves a record as a dead letter, unless it is one already.
    pub async fn add(&self, record: &Record, reason: &DeadLetterReason) -> Result<(), Failure> {
        tracing::error!(
            kind = reason.kind.as_str(),
            error = reason.error,
            partition = record.partition,
            offset = record.offset,
            "a record becomes a dead letter"
        );
        let letter = letter::of(&self.topic, record, reason);
        // With an inbox entry of its own, so that it does not come back when it was discarded.
        let input = StepInput {
            inbox: Some(letter.id),
            ..StepInput::about(Scope::Nothing)
        };
        let changes = Changes {
            dead_letter: Some(letter),
            ..Changes::default()
        };
        if self.run(input, changes).await? == StepOutcome::Done(()) {
            // Many may come at once, so that not all are counted anew for each.
            self.counts.with_label_values(&[reason.kind.as_str()]).inc();
        }
        Ok(())
    }

    /// Loads a page of dead letters, oldest first.
    pub async fn list(&self, query: DeadLetterQuery) -> Result<Vec<StoredDeadLetter>, StoreError> {
        self.store.list_dead_letters(query).await
    }

    /// Loads a dead letter; `None` if there is none with this id.
    pub async fn load(&self, id: Uuid) -> Result<Option<StoredDeadLetter>, StoreError> {
        self.store.load_dead_letter(id).await
    }

    /// Tries a dead letter once more. If it has its effect, the effect and the end of the dead
    /// letter are one step.
    pub async fn replay(&self, id: Uuid) -> Result<Replayed, Failure> {
        let Some(stored) = self.load(id).await? else {
            return Ok(Replayed::Missing);
        };
        let replayed = self.replay_letter(&stored.letter).await?;
        self.count_or_warn().await;
        Ok(replayed)
    }

    /// Replays the dead letters of kind `Unknown` whose type this release knows: all of them the
    /// first time, and then the more rarely the more often they were tried.
    pub async fn replay_known(&self) -> Result<(), StoreError> {
        let mut rounds = self.rounds.lock().await;
        rounds.number = rounds.number.wrapping_add(1);
        let mut query = DeadLetterQuery {
            kind: Some(DeadLetterKind::Unknown),
            after: 0,
            limit: PAGE,
        };
        loop {
            let page = self.list(query).await?;
            let Some(last) = page.last() else {
                return Ok(());
            };
            query.after = last.number;
            self.replay_known_of(&page, &mut rounds).await?;
        }
    }

    async fn replay_known_of(
        &self,
        page: &[StoredDeadLetter],
        rounds: &mut Rounds,
    ) -> Result<(), StoreError> {
        for StoredDeadLetter { letter, .. } in page {
            if !rounds.is_due(letter) || !self.reception.knows_type_in(&letter.headers) {
                continue;
            }
            match self.replay_letter(letter).await {
                Ok(Replayed::Done(effect)) => {
                    rounds.vain.remove(&letter.id);
                    tracing::info!(id = %letter.id, ?effect, "a dead letter was replayed");
                }
                Ok(Replayed::Missing) => drop(rounds.vain.remove(&letter.id)),
                Ok(Replayed::Again(_)) => *rounds.vain.entry(letter.id).or_default() += 1,
                Err(Failure::Store(error)) if error.is_outage() => {
                    return Err(error);
                }
                // One must not keep the others from being replayed.
                Err(error) => {
                    tracing::error!(id = %letter.id, error = causes(&error), "a dead letter cannot be replayed");
                }
            }
        }
        Ok(())
    }

    async fn replay_letter(&self, letter: &DeadLetter) -> Result<Replayed, Failure> {
        let content = Content::Encoded {
            headers: letter.headers.clone(),
            payload: letter.payload.clone(),
        };
        let (kind, error) = match self.reception.apply(&content).await {
            Ok(effect) => {
                // An effect has deleted it already; there is none to do so if nothing changed.
                self.delete(letter.id).await?;
                return Ok(Replayed::Done(effect));
            }
            Err(NotReceived::Away(error)) => return Err(error.into()),
            Err(NotReceived::Hopeless(kind, error)) => (kind, error),
            Err(NotReceived::Failed(error)) => (DeadLetterKind::Failed, error),
        };
        let replay = FailedReplay {
            id: letter.id,
            kind,
            error: error.clone(),
        };
        self.store.keep_dead_letter(replay).await?;
        Ok(Replayed::Again(error))
    }

    /// Deletes a dead letter; `false` if there is none with this id. Its event has no effect any
    /// more, even if its record is delivered once more.
    pub async fn discard(&self, id: Uuid) -> Result<bool, Failure> {
        let Some(stored) = self.load(id).await? else {
            return Ok(false);
        };
        let input = StepInput {
            inbox: stored.letter.event_id,
            ..StepInput::about(Scope::Nothing)
        };
        if self.run(input, deletion(id)).await? == StepOutcome::Duplicate {
            self.delete(id).await?;
        }
        self.count_or_warn().await;
        Ok(true)
    }

    /// Deletes a dead letter whose event needs no effect.
    async fn delete(&self, id: Uuid) -> Result<(), Failure> {
        let input = StepInput::about(Scope::Nothing);
        self.run(input, deletion(id)).await.map(drop)
    }

    async fn run(&self, input: StepInput, changes: Changes) -> Result<StepOutcome, Failure> {
        let decide = Box::new(move |_: &Seen| Ok(changes.clone()));
        self.store.run(Step { input, decide }).await
    }

    /// Counts the dead letters for the metric.
    async fn count(&self) -> Result<(), StoreError> {
        let counts = self.store.count_dead_letters().await?;
        for kind in DeadLetterKind::ALL {
            let of_kind = counts.iter().filter(|(counted, _)| *counted == kind);
            let count: u64 = of_kind.map(|(_, count)| count).sum();
            let gauge = self.counts.with_label_values(&[kind.as_str()]);
            gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
        }
        Ok(())
    }

    async fn count_or_warn(&self) {
        if let Err(error) = self.count().await {
            tracing::warn!(error = causes(&error), "dead letters cannot be counted");
        }
    }
}

/// The chore that counts the dead letters every minute, and replays what this release knows: at
/// start-up, and then ever more rarely.
pub struct Revision(pub Arc<DeadLetters>);

#[async_trait]
impl Chore for Revision {
    fn name(&self) -> &'static str {
        "dead letters"
    }

    fn every(&self) -> Duration {
        EVERY
    }

    async fn round(&self) -> Result<(), StoreError> {
        self.0.replay_known().await?;
        self.0.count().await
    }
}

fn topic(log: Option<&LogSettings>) -> String {
    match log {
        Some(LogSettings::Kafka(kafka)) => kafka.topic.clone(),
        Some(LogSettings::Sqlite(file)) => file.topic.clone(),
        None => String::new(),
    }
}

fn deletion(id: Uuid) -> Changes {
    Changes {
        discarded: Some(id),
        ..Changes::default()
    }
}

//! The tables of a store in memory, and what a step does with them.

use std::time::Duration;

use innkeeper_kit::store::{
    Changes, Claim, ClaimChange, DeadLetter, DeadLetterKind, DeadLetterQuery, Due, ENDED,
    FailedReplay, KeyChange, KeyRow, OutboxEvent, ParkedEvent, Refusal, Row, RowChange, Scope,
    Seen, StepInput, StoreError, StoredDeadLetter, TimeRange, contended,
};
use jiff::{SignedDuration, Timestamp};
use uuid::Uuid;

#[derive(Clone, Default)]
pub struct Tables {
    rows: Vec<Kept>,
    last_id: i64,
    outbox: Vec<OutboxEvent>,
    parked: Vec<ParkedEvent>,
    inbox: Vec<(Uuid, Timestamp)>,
    keys: Vec<(KeyRow, Option<Timestamp>)>,
    dead_letters: Vec<StoredDeadLetter>,
    last_dead_letter: i64,
    lease: Option<(Uuid, Timestamp)>,
}

/// A row, whose claim is valid until the instant.
#[derive(Clone)]
struct Kept {
    row: Row,
    claimed_until: Timestamp,
}

impl Kept {
    fn at(&self, now: Timestamp) -> Row {
        let mut row = self.row.clone();
        if let Some(claim) = &mut row.claim {
            claim.live = self.claimed_until > now;
        }
        row
    }

    fn claim(&mut self, change: ClaimChange, now: Timestamp) {
        self.row.claim = match change {
            ClaimChange::Release => None,
            ClaimChange::Take { owner, hold_for } => {
                self.claimed_until = now + signed(hold_for);
                Some(Claim { owner, live: true })
            }
        };
    }
}

impl Tables {
    pub fn has_seen(&self, event_id: Uuid) -> bool {
        self.inbox.iter().any(|(id, _)| *id == event_id)
    }

    pub fn row(&self, row_id: Uuid, now: Timestamp) -> Option<Row> {
        self.rows(now, |row| row.row_id == row_id).pop()
    }

    pub fn rows(&self, now: Timestamp, is_wanted: impl Fn(&Row) -> bool) -> Vec<Row> {
        let kept = self.rows.iter().filter(|kept| is_wanted(&kept.row));
        kept.map(|kept| kept.at(now)).collect()
    }

    /// What a decision sees.
    pub fn look(&self, input: &StepInput, now: Timestamp) -> Seen {
        let mut keys = self.keys.iter().map(|(key, _)| key);
        let key = keys.find(|row| input.key.as_ref() == Some(&row.key));
        let saga_of_key = key.map(|key| Scope::Saga(key.correlation_id));
        let mut parts = input.scope.parts();
        parts.extend(&saga_of_key);
        let rows = self.rows(now, |row| parts.iter().any(|part| self.is_in(part, row)));
        Seen {
            new_id: (input.may_insert && rows.is_empty()).then_some(self.last_id + 1),
            rows,
            key: key.cloned(),
            now,
        }
    }

    fn is_in(&self, part: &Scope, row: &Row) -> bool {
        match part {
            Scope::Nothing | Scope::All(_) => false,
            Scope::Saga(saga) => row.correlation_id == *saga,
            Scope::Id(id) => row.id == Some(*id),
            Scope::SecondKey { aggregate, key } => {
                row.aggregate == *aggregate && row.second_key.as_ref() == Some(key)
            }
            Scope::Parent { id, range } => {
                let is_parent = |kept: &&Kept| kept.row.id == Some(*id);
                let parent = self.rows.iter().find(is_parent);
                row.id == Some(*id)
                    || parent.is_some_and(|parent| {
                        row.parent.as_ref().is_some_and(|child| {
                            let ranges = child.range.zip(*range);
                            child.row_id == parent.row.row_id
                                && ranges.is_none_or(|(one, other)| overlap(one, other))
                        })
                    })
            }
        }
    }

    /// Makes changes, all of them or none.
    pub fn apply(
        &mut self,
        changes: Changes,
        inbox: Option<Uuid>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut after = self.clone();
        after.inbox.extend(inbox.map(|event_id| (event_id, now)));
        if let Some(change) = changes.key {
            after.change_key(change, now)?;
        }
        for row in changes.rows {
            after.change_row(row, now)?;
        }
        for event in changes.events {
            if after.outbox.iter().any(|known| known.id == event.id) {
                return Err(StoreError::Failed("an event's id is used twice".into()));
            }
            after.outbox.push(event);
        }
        let has_effect = |stored: &StoredDeadLetter| {
            inbox.is_some() && stored.letter.event_id == inbox
                || changes.discarded == Some(stored.letter.id)
        };
        after.dead_letters.retain(|stored| !has_effect(stored));
        if let Some(letter) = changes.dead_letter {
            after.add_dead_letter(letter, now);
        }
        *self = after;
        Ok(())
    }

    fn change_key(&mut self, change: KeyChange, now: Timestamp) -> Result<(), StoreError> {
        match change {
            KeyChange::Begin {
                key,
                fingerprint,
                correlation_id,
            } => {
                if self.keys.iter().any(|(known, _)| known.key == key) {
                    return Err(contended());
                }
                let row = KeyRow {
                    key,
                    fingerprint,
                    correlation_id,
                    answer: None,
                };
                self.keys.push((row, None));
            }
            KeyChange::Settle {
                correlation_id,
                answer,
            } => {
                for (row, settled_at) in &mut self.keys {
                    if row.correlation_id == correlation_id && settled_at.is_none() {
                        row.answer = Some(answer.clone());
                        *settled_at = Some(now);
                    }
                }
            }
        }
        Ok(())
    }

    fn change_row(&mut self, change: RowChange, now: Timestamp) -> Result<(), StoreError> {
        let is_taken = |kept: &Kept| {
            let same_key = kept.row.aggregate == change.aggregate
                && change.second_key.is_some()
                && kept.row.second_key == change.second_key;
            let same_id = change.id.is_some() && kept.row.id == change.id;
            kept.row.row_id != change.row_id && (same_id || same_key)
        };
        if self.rows.iter().any(is_taken) {
            return Err(contended());
        }
        self.last_id = self.last_id.max(change.id.unwrap_or_default());
        let mut rows = self.rows.iter_mut();
        let stored = rows.find(|kept| kept.row.row_id == change.row_id);
        let version = stored.as_ref().map_or(0, |kept| kept.row.version);
        if version != change.seen_version {
            return Err(contended());
        }
        let Some(kept) = stored else {
            self.rows.push(inserted(change, now));
            return Ok(());
        };
        kept.claim(change.claim, now);
        kept.row = Row {
            id: change.id,
            version: version + 1,
            state: change.state,
            clock: change.clock,
            body: change.body,
            second_key: change.second_key,
            ..kept.row.clone()
        };
        Ok(())
    }

    pub fn key_of(&self, correlation_id: Uuid) -> Option<KeyRow> {
        let mut keys = self.keys.iter().map(|(key, _)| key);
        keys.find(|key| key.correlation_id == correlation_id)
            .cloned()
    }

    pub fn claim_due(&mut self, due: &Due, now: Timestamp) -> Vec<Row> {
        let claim = ClaimChange::Take {
            owner: due.owner,
            hold_for: due.hold_for,
        };
        let until = now - signed(due.age);
        let is_due = |kept: &&mut Kept| {
            let is_claimed = kept.row.claim.is_some() && kept.claimed_until > now;
            kept.row.state == due.state && kept.row.created_at <= until && !is_claimed
        };
        let mut rows: Vec<&mut Kept> = self.rows.iter_mut().filter(is_due).collect();
        rows.sort_by_key(|kept| kept.row.created_at);
        rows.truncate(due.limit as usize);
        let claimed = rows.into_iter().map(|kept| {
            kept.claim(claim, now);
            kept.row.version += 1;
            kept.at(now)
        });
        claimed.collect()
    }

    pub fn unpublished(&self, after: Option<Uuid>, limit: u32) -> Vec<OutboxEvent> {
        let is_parked = |saga| {
            let mut parked = self.parked();
            parked.any(|parked| parked.event.aggregate_id == saga)
        };
        let waiting = self
            .outbox
            .iter()
            .filter(|event| Some(event.aggregate_id) > after && !is_parked(event.aggregate_id));
        let mut events: Vec<OutboxEvent> = waiting.cloned().collect();
        events.sort_by_key(|event| (event.aggregate_id, event.version));
        events.truncate(limit as usize);
        events
    }

    pub fn delete_published(&mut self, ids: &[Uuid]) {
        self.outbox.retain(|event| !ids.contains(&event.id));
    }

    pub fn park(&mut self, refusals: Vec<Refusal>, now: Timestamp) {
        for refusal in refusals {
            let mut parked = self.parked.iter_mut();
            if let Some(parked) = parked.find(|parked| parked.event.id == refusal.event_id) {
                parked.reason = refusal.reason;
                continue;
            }
            let mut events = self.outbox.iter();
            let event = events.find(|event| event.id == refusal.event_id).cloned();
            self.parked.extend(event.map(|event| ParkedEvent {
                event,
                reason: refusal.reason,
                parked_at: now,
            }));
        }
    }

    pub fn parked(&self) -> impl Iterator<Item = &ParkedEvent> {
        self.parked.iter().filter(|parked| self.waits(parked))
    }

    /// Whether a parked event is still in the outbox. Another relay may have published it.
    fn waits(&self, parked: &ParkedEvent) -> bool {
        let mut events = self.outbox.iter();
        events.any(|event| event.id == parked.event.id)
    }

    pub fn unpark(&mut self, event_id: Uuid) -> bool {
        let before = self.parked.len();
        self.parked.retain(|parked| parked.event.id != event_id);
        self.parked.len() < before
    }

    pub fn take_lease(&mut self, owner: Uuid, hold_for: Duration, now: Timestamp) -> bool {
        let is_free = self
            .lease
            .is_none_or(|(holder, until)| holder == owner || until <= now);
        if is_free {
            self.lease = Some((owner, now + signed(hold_for)));
        }
        is_free
    }

    pub fn release_lease(&mut self, owner: Uuid) {
        self.lease.take_if(|(holder, _)| *holder == owner);
    }

    fn add_dead_letter(&mut self, letter: DeadLetter, now: Timestamp) {
        if self.dead_letter(letter.id).is_none() {
            self.last_dead_letter += 1;
            self.dead_letters.push(StoredDeadLetter {
                number: self.last_dead_letter,
                occurred_at: now,
                letter,
            });
        }
    }

    pub fn dead_letter(&self, id: Uuid) -> Option<StoredDeadLetter> {
        let mut stored = self.dead_letters.iter();
        stored.find(|stored| stored.letter.id == id).cloned()
    }

    pub fn dead_letters(&self, query: DeadLetterQuery) -> Vec<StoredDeadLetter> {
        let is_wanted = |stored: &&StoredDeadLetter| {
            let kind = query.kind.is_none_or(|kind| stored.letter.kind == kind);
            kind && stored.number > query.after
        };
        let letters = self.dead_letters.iter().filter(is_wanted);
        letters.take(query.limit as usize).cloned().collect()
    }

    pub fn count_dead_letters(&self) -> Vec<(DeadLetterKind, u64)> {
        let counted = DeadLetterKind::ALL.map(|kind| {
            let of_kind = |stored: &&StoredDeadLetter| stored.letter.kind == kind;
            (
                kind,
                self.dead_letters.iter().filter(of_kind).count() as u64,
            )
        });
        counted
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .collect()
    }

    pub fn keep_dead_letter(&mut self, replay: FailedReplay) {
        let mut letters = self.dead_letters.iter_mut();
        if let Some(stored) = letters.find(|stored| stored.letter.id == replay.id) {
            stored.letter.kind = replay.kind;
            stored.letter.error = replay.error;
            stored.letter.tries += 1;
        }
    }

    pub fn prune(&mut self, age: Duration, now: Timestamp) -> u64 {
        let until = now - signed(age);
        let is_old = |at: Option<Timestamp>| at.is_some_and(|at| at <= until);
        let before = self.size();
        let outbox = &self.outbox;
        let waits = |id| outbox.iter().any(|event| event.id == id);
        self.parked.retain(|parked| waits(parked.event.id));
        self.inbox.retain(|(_, at)| !is_old(Some(*at)));
        self.keys.retain(|(_, at)| !is_old(*at));
        self.rows
            .retain(|kept| kept.row.state != ENDED || !is_old(Some(kept.row.created_at)));
        (before - self.size()) as u64
    }

    fn size(&self) -> usize {
        self.parked.len() + self.inbox.len() + self.keys.len() + self.rows.len()
    }
}

fn inserted(change: RowChange, now: Timestamp) -> Kept {
    let claim = change.claim;
    let mut kept = Kept {
        claimed_until: now,
        row: Row {
            row_id: change.row_id,
            correlation_id: change.correlation_id,
            aggregate: change.aggregate.to_owned(),
            id: change.id,
            version: 1,
            state: change.state,
            clock: change.clock,
            body: change.body,
            claim: None,
            created_at: now,
            owner: change.owner,
            second_key: change.second_key,
            parent: change.parent,
        },
    };
    kept.claim(claim, now);
    kept
}

fn overlap(one: TimeRange, other: TimeRange) -> bool {
    one.from < other.until && other.from < one.until
}

fn signed(duration: Duration) -> SignedDuration {
    SignedDuration::try_from(duration).unwrap()
}

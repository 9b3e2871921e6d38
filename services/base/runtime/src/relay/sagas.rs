//! Which sagas the relay may send events of: not those with events in flight, and not those whose
//! last attempt has failed, until their pause is over.

use std::collections::{HashMap, HashSet};
use std::time::{Duration, Instant};

use innkeeper_kit::log::{AppendError, Partition};
use innkeeper_kit::store::OutboxEvent;
use uuid::Uuid;

/// The first pause of a saga after a failure; it doubles up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(250);
/// The longest pause of a saga.
const LAST_PAUSE: Duration = Duration::from_secs(5);
/// How many events may be in flight. The queue of a Kafka producer has room for more.
const IN_FLIGHT: usize = 4096;
/// The least share of a partition, however many there are.
const LEAST_SHARE: usize = 32;
/// Which part of a share is for sagas that have failed before: so many may be sent in one pass, and
/// be in flight.
const PART_FOR_RETRIES: usize = 8;

/// The sagas that must not be sent now.
#[derive(Default)]
pub struct Sagas {
    in_flight: HashMap<Uuid, InFlight>,
    events_in_flight: usize,
    loads: HashMap<i32, Load>,
    waiting: HashMap<Uuid, Wait>,
}

/// What is in flight to a partition.
#[derive(Default)]
struct Load {
    events: usize,
    /// How many sagas that have failed before are in flight, and how many were at the beginning of
    /// this pass or have been sent since.
    retries: usize,
    retries_of_pass: usize,
}

/// What is known of the events of a saga that were sent together.
struct InFlight {
    partition: i32,
    left: usize,
    delivered: bool,
    failed: bool,
    is_retry: bool,
}

struct Wait {
    until: Instant,
    pause: Duration,
}

impl Sagas {
    /// Begins a pass through the outbox.
    pub fn begin_pass(&mut self) {
        for load in self.loads.values_mut() {
            load.retries_of_pass = load.retries;
        }
    }

    /// Takes the events that may be sent now, with all later ones of their sagas, and counts them
    /// as in flight. Each partition has a share of the room, so that one that is away leaves room
    /// for the others.
    pub fn admit(
        &mut self,
        events: Vec<OutboxEvent>,
        now: Instant,
        partition_of: impl Fn(Uuid) -> Partition,
    ) -> Vec<OutboxEvent> {
        let mut admitted = HashSet::new();
        let mut refused = HashSet::new();
        let mut sent = Vec::with_capacity(events.len());
        for event in events {
            let saga = event.aggregate_id;
            if !admitted.contains(&saga) {
                if refused.contains(&saga) || !self.begin(saga, now, &partition_of) {
                    refused.insert(saga);
                    continue;
                }
                admitted.insert(saga);
            }
            self.events_in_flight += 1;
            if let Some(in_flight) = self.in_flight.get_mut(&saga) {
                in_flight.left += 1;
                self.loads.entry(in_flight.partition).or_default().events += 1;
            }
            sent.push(event);
        }
        sent
    }

    fn begin(
        &mut self,
        saga: Uuid,
        now: Instant,
        partition_of: impl Fn(Uuid) -> Partition,
    ) -> bool {
        let wait = self.waiting.get(&saga);
        let is_retry = wait.is_some();
        let waits = wait.is_some_and(|wait| wait.until > now);
        if waits || self.in_flight.contains_key(&saga) || !self.has_room() {
            return false;
        }
        let partition = partition_of(saga);
        let share = share(partition);
        let load = self.loads.entry(partition.number).or_default();
        if load.events >= share || is_retry && load.retries_of_pass >= share / PART_FOR_RETRIES {
            return false;
        }
        load.retries += usize::from(is_retry);
        load.retries_of_pass += usize::from(is_retry);
        let in_flight = InFlight {
            partition: partition.number,
            left: 0,
            delivered: false,
            failed: false,
            is_retry,
        };
        self.in_flight.insert(saga, in_flight);
        true
    }

    /// Whether more events may be in flight.
    pub fn has_room(&self) -> bool {
        self.events_in_flight < IN_FLIGHT
    }

    /// Records what became of one event. A saga of which the log did not take an event now waits,
    /// longer each time. Returns whether the saga had failed before.
    pub fn settle(&mut self, saga: Uuid, result: &Result<(), AppendError>, now: Instant) -> bool {
        let Some(in_flight) = self.in_flight.get_mut(&saga) else {
            return false;
        };
        let is_retry = in_flight.is_retry;
        let load = self.loads.entry(in_flight.partition).or_default();
        self.events_in_flight -= 1;
        load.events -= 1;
        in_flight.left -= 1;
        in_flight.delivered |= result.is_ok();
        in_flight.failed |= matches!(result, Err(AppendError::NotNow(_)));
        if in_flight.left > 0 {
            return is_retry;
        }
        let (delivered, failed) = (in_flight.delivered, in_flight.failed);
        load.retries -= usize::from(is_retry);
        self.in_flight.remove(&saga);
        let before = self.waiting.remove(&saga).filter(|_| !delivered);
        if failed {
            let pause = before.map_or(FIRST_PAUSE, |wait| (wait.pause * 2).min(LAST_PAUSE));
            let until = now + pause;
            self.waiting.insert(saga, Wait { until, pause });
        }
        is_retry
    }

    /// Lets every saga that waits be sent at once.
    pub fn end_pauses(&mut self, now: Instant) {
        for wait in self.waiting.values_mut() {
            wait.until = now;
        }
    }

    /// How many sagas wait because of a failure.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

/// How many events of a partition may be in flight.
fn share(partition: Partition) -> usize {
    let partitions = usize::try_from(partition.count).unwrap_or(1).max(1);
    (IN_FLIGHT / partitions).max(LEAST_SHARE)
}

#[cfg(test)]
mod tests {
    use innkeeper_kit::log::LogError;

    use super::*;

    fn event(saga: u128) -> OutboxEvent {
        OutboxEvent {
            id: Uuid::from_u128(saga),
            aggregate_type: "payment".to_owned(),
            aggregate_id: Uuid::from_u128(saga),
            event_type: "dev.innkeeper.payment.captured.v1".to_owned(),
            version: 1,
            headers: Vec::new(),
            payload: "{}".to_owned(),
            event: None,
        }
    }

    /// Admits to a log with one partition.
    fn admit(sagas: &mut Sagas, events: Vec<OutboxEvent>, now: Instant) -> Vec<OutboxEvent> {
        sagas.admit(events, now, |_| Partition::ONLY)
    }

    /// The partition of a saga where the last of all sagas has one of its own.
    fn partition_of(saga: Uuid) -> Partition {
        Partition {
            number: i32::from(saga == Uuid::max()),
            count: 2,
        }
    }

    fn failed() -> Result<(), AppendError> {
        let reason = "on purpose".into();
        Err(AppendError::NotNow(LogError::Unavailable(reason)))
    }

    /// When the saga may be sent again after it was sent and has failed now.
    fn pause_after_failure(sagas: &mut Sagas, now: Instant) -> Duration {
        sagas.begin_pass();
        assert_eq!(admit(sagas, vec![event(1)], now).len(), 1);
        sagas.settle(event(1).aggregate_id, &failed(), now);
        sagas.waiting[&event(1).aggregate_id].until - now
    }

    #[test]
    fn a_saga_that_fails_again_and_again_waits_longer_up_to_a_limit() {
        let mut sagas = Sagas::default();
        let mut now = Instant::now();
        let mut pauses = Vec::new();
        for _ in 0..7 {
            let pause = pause_after_failure(&mut sagas, now);
            assert_eq!(admit(&mut sagas, vec![event(1)], now), [], "it waits");
            pauses.push(pause.as_millis());
            now += pause;
        }
        assert_eq!(pauses, [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000]);
    }

    #[test]
    fn a_saga_in_flight_is_not_sent_again_until_all_of_it_is_settled() {
        let mut sagas = Sagas::default();
        let now = Instant::now();
        let twice = || vec![event(1), event(1)];
        assert_eq!(admit(&mut sagas, twice(), now).len(), 2);
        sagas.settle(event(1).aggregate_id, &Ok(()), now);
        assert_eq!(admit(&mut sagas, twice(), now), []);
        sagas.settle(event(1).aggregate_id, &Ok(()), now);
        assert_eq!(admit(&mut sagas, twice(), now).len(), 2);
    }

    #[test]
    fn sagas_that_have_failed_leave_room_for_others() {
        let retries = IN_FLIGHT / PART_FOR_RETRIES;
        let mut sagas = Sagas::default();
        let now = Instant::now();
        let many = 2 * retries as u128;
        let stuck: Vec<_> = (0..many).map(event).collect();
        admit(&mut sagas, stuck.clone(), now);
        for saga in 0..many {
            sagas.settle(Uuid::from_u128(saga), &failed(), now);
        }
        sagas.end_pauses(now);
        sagas.begin_pass();
        assert_eq!(admit(&mut sagas, stuck, now).len(), retries);
        assert_eq!(admit(&mut sagas, vec![event(many)], now).len(), 1);
    }

    #[test]
    fn a_partition_that_takes_nothing_leaves_room_for_the_others() {
        let mut sagas = Sagas::default();
        let now = Instant::now();
        sagas.begin_pass();
        let two_of = |saga| [event(saga), event(saga)];
        let stuck = (0..IN_FLIGHT as u128).flat_map(two_of).collect();
        let sent = sagas.admit(stuck, now, partition_of).len();
        assert_eq!(sent, IN_FLIGHT / 2, "a share of the room");
        assert!(sagas.has_room());
        let other = vec![event(u128::MAX)];
        assert_eq!(sagas.admit(other, now, partition_of).len(), 1);
        for _ in 0..2 {
            sagas.settle(event(0).aggregate_id, &Ok(()), now);
        }
        let next = vec![event(IN_FLIGHT as u128)];
        assert_eq!(sagas.admit(next, now, partition_of).len(), 1);
    }

    #[test]
    fn a_partition_that_takes_nothing_leaves_other_sagas_that_have_failed_their_turn() {
        let mut sagas = Sagas::default();
        let now = Instant::now();
        let all: Vec<_> = (0..1_000).chain([u128::MAX]).map(event).collect();
        assert_eq!(sagas.admit(all.clone(), now, partition_of).len(), all.len());
        for event in &all {
            sagas.settle(event.aggregate_id, &failed(), now);
        }
        sagas.end_pauses(now);
        sagas.begin_pass();
        let again = sagas.admit(all, now, partition_of);
        assert_eq!(again.len(), IN_FLIGHT / 2 / PART_FOR_RETRIES + 1);
        assert_eq!(again.last().map(|it| it.aggregate_id), Some(Uuid::max()));
    }
}

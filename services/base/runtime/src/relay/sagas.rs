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
/// How many sagas of one partition may be in flight, however many partitions there are.
const LEAST_OF_PARTITION: usize = 16;
/// How many sagas that have failed before may be sent in one pass, and be in flight.
const RETRIES: usize = 512;

/// The sagas that must not be sent now.
#[derive(Default)]
pub struct Sagas {
    in_flight: HashMap<Uuid, InFlight>,
    events_in_flight: usize,
    /// How many sagas of each partition are in flight.
    of_partitions: HashMap<i32, usize>,
    retries_in_flight: usize,
    retries_left: usize,
    waiting: HashMap<Uuid, Wait>,
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
        self.retries_left = RETRIES.saturating_sub(self.retries_in_flight);
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
        let may_be_sent = wait.is_none_or(|wait| wait.until <= now)
            && !self.in_flight.contains_key(&saga)
            && self.has_room()
            && !(is_retry && self.retries_left == 0);
        if !may_be_sent {
            return false;
        }
        let partition = partition_of(saga);
        let of_partition = self.of_partitions.entry(partition.number).or_default();
        if *of_partition >= share(partition) {
            return false;
        }
        *of_partition += 1;
        self.retries_in_flight += usize::from(is_retry);
        self.retries_left -= usize::from(is_retry);
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
        self.events_in_flight -= 1;
        in_flight.left -= 1;
        in_flight.delivered |= result.is_ok();
        in_flight.failed |= matches!(result, Err(AppendError::NotNow(_)));
        if in_flight.left > 0 {
            return is_retry;
        }
        let (delivered, failed) = (in_flight.delivered, in_flight.failed);
        if let Some(of_partition) = self.of_partitions.get_mut(&in_flight.partition) {
            *of_partition -= 1;
        }
        self.retries_in_flight -= usize::from(is_retry);
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

/// How many sagas of a partition may be in flight.
fn share(partition: Partition) -> usize {
    let partitions = usize::try_from(partition.of).unwrap_or(1).max(1);
    (IN_FLIGHT / partitions).max(LEAST_OF_PARTITION)
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
        let mut sagas = Sagas::default();
        let now = Instant::now();
        let many = 2 * RETRIES as u128;
        let stuck: Vec<_> = (0..many).map(event).collect();
        admit(&mut sagas, stuck.clone(), now);
        for saga in 0..many {
            sagas.settle(Uuid::from_u128(saga), &failed(), now);
        }
        sagas.end_pauses(now);
        sagas.begin_pass();
        assert_eq!(admit(&mut sagas, stuck, now).len(), RETRIES);
        assert_eq!(admit(&mut sagas, vec![event(many)], now).len(), 1);
    }

    #[test]
    fn a_partition_that_takes_nothing_leaves_room_for_the_others() {
        let mut sagas = Sagas::default();
        let now = Instant::now();
        let partition_of = |saga: Uuid| Partition {
            number: i32::from(saga == Uuid::max()),
            of: 2,
        };
        sagas.begin_pass();
        let stuck: Vec<_> = (0..2 * IN_FLIGHT as u128).map(event).collect();
        let sent = sagas.admit(stuck, now, partition_of).len();
        assert_eq!(sent, IN_FLIGHT / 2, "a share of the room");
        assert!(sagas.has_room());
        let other = vec![event(u128::MAX)];
        assert_eq!(sagas.admit(other, now, partition_of).len(), 1);
        sagas.settle(event(0).aggregate_id, &Ok(()), now);
        let next = vec![event(IN_FLIGHT as u128)];
        assert_eq!(sagas.admit(next, now, partition_of).len(), 1);
    }
}

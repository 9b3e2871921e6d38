//! Fields that others change back again and again. After the third time within ten minutes a field
//! is restored with growing delays, so that two parties who do not know of each other never write
//! in a loop.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

/// How often a field may be taken within [`WINDOW`] before it is contested.
const TIMES: usize = 3;
/// How long a loss counts.
const WINDOW: Duration = Duration::from_mins(10);
/// The first delay before a contested field is restored.
const FIRST_DELAY: Duration = Duration::from_secs(30);
/// The longest delay before a contested field is restored.
const LONGEST_DELAY: Duration = Duration::from_mins(5);

/// A field that is contested.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Contest {
    /// Path of the field.
    pub field: String,
    /// The manager that takes it.
    pub manager: String,
}

/// The fields of one object that others have taken recently.
#[derive(Clone, Debug, Default)]
pub struct Contests(BTreeMap<String, History>);

/// How often a field was taken, and when it is restored.
#[derive(Clone, Debug)]
struct History {
    manager: String,
    losses: Vec<Timestamp>,
    /// Whether the other manager has the field now.
    is_lost: bool,
    /// How often restoring it was delayed.
    delays: u32,
    /// The end of the current or last delay.
    left_until: Option<Timestamp>,
}

impl Contests {
    /// Notes the fields that others own now, with their managers, and returns whether to restore
    /// them at once. A field that has not been restored yet does not count as lost again.
    pub fn lose(&mut self, lost: &BTreeMap<String, String>, now: Timestamp) -> bool {
        self.forget(now);
        for (field, history) in &mut self.0 {
            history.is_lost &= lost.contains_key(field);
        }
        let mut is_due = false;
        for (field, manager) in lost {
            let history = self.0.entry(field.clone()).or_insert_with(History::new);
            history.manager.clone_from(manager);
            if !history.is_lost {
                history.lose(now);
            }
            is_due |= history.left_until.is_none_or(|until| until <= now);
        }
        is_due
    }

    /// Notes that all fields have been restored.
    pub fn put_back(&mut self) {
        for history in self.0.values_mut() {
            history.is_lost = false;
        }
    }

    /// The contested fields: those whose restoring was delayed, until they have stayed ours for
    /// twice the delay.
    pub fn contested(&self, now: Timestamp) -> Vec<Contest> {
        let is_contested = |history: &History| {
            let Some(until) = history.left_until else {
                return false;
            };
            history.is_lost || now.duration_since(until).unsigned_abs() < history.delay() * 2
        };
        self.0
            .iter()
            .filter(|(_, history)| is_contested(history))
            .map(|(field, history)| Contest {
                field: field.clone(),
                manager: history.manager.clone(),
            })
            .collect()
    }

    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, history| {
            history.losses.retain(|loss| is_recent(*loss, now));
            history.is_lost || !history.losses.is_empty()
        });
    }
}

impl History {
    const fn new() -> Self {
        Self {
            manager: String::new(),
            losses: Vec::new(),
            is_lost: false,
            delays: 0,
            left_until: None,
        }
    }

    fn lose(&mut self, now: Timestamp) {
        self.is_lost = true;
        self.losses.push(now);
        if self.delays > 0 || self.losses.len() >= TIMES {
            self.delays += 1;
            self.left_until = Some(now + self.delay());
        }
    }

    /// How long to delay restoring the field this time.
    fn delay(&self) -> Duration {
        let doublings = self.delays.saturating_sub(1).min(8);
        (FIRST_DELAY * 2_u32.pow(doublings)).min(LONGEST_DELAY)
    }
}

fn is_recent(loss: Timestamp, now: Timestamp) -> bool {
    now.duration_since(loss).unsigned_abs() < WINDOW
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn image_of(manager: &str) -> BTreeMap<String, String> {
        BTreeMap::from([("image".to_owned(), manager.to_owned())])
    }

    /// Whether a field is restored at each of these seconds, if somebody takes it again each time.
    fn put_back_at(contests: &mut Contests, seconds: &[i64]) -> Vec<bool> {
        let look = |second: &i64| {
            let is_due = contests.lose(&image_of("k9s"), at(*second));
            if is_due {
                contests.put_back();
            }
            is_due
        };
        seconds.iter().map(look).collect()
    }

    #[test]
    fn a_field_that_is_taken_three_times_in_ten_minutes_is_contested() {
        let mut contests = Contests::default();
        assert_eq!(put_back_at(&mut contests, &[0, 1]), [true, true]);
        assert_eq!(contests.contested(at(1)), []);
        assert_eq!(put_back_at(&mut contests, &[2]), [false]);
        let contest = Contest {
            field: "image".to_owned(),
            manager: "k9s".to_owned(),
        };
        assert_eq!(contests.contested(at(2)), [contest]);
    }

    #[test]
    fn a_field_that_is_taken_seldom_is_restored_at_once() {
        let mut contests = Contests::default();
        let seldom = [0, 301, 602, 903, 1204];
        assert_eq!(put_back_at(&mut contests, &seldom), [true; 5]);
        assert_eq!(contests.contested(at(1204)), []);
    }

    #[test]
    fn we_try_on_ever_more_seldom_but_every_five_minutes() {
        let mut contests = Contests::default();
        put_back_at(&mut contests, &[0, 0]);
        let mut tries = Vec::new();
        for second in 0..1_700 {
            if put_back_at(&mut contests, &[second]) == [true] {
                tries.push(second);
            }
        }
        let waits: Vec<_> = tries.windows(2).map(|it| it[1] - it[0]).collect();
        assert_eq!(tries[0], 30);
        assert_eq!(waits, [61, 121, 241, 301, 301, 301, 301]);
    }

    #[test]
    fn a_look_that_writes_nothing_is_no_loss() {
        let mut contests = Contests::default();
        for second in 0..9 {
            assert!(contests.lose(&image_of("k9s"), at(second)));
        }
        assert_eq!(contests.contested(at(9)), []);
    }

    #[test]
    fn a_contest_ends_when_the_field_stays_ours() {
        let mut contests = Contests::default();
        put_back_at(&mut contests, &[0, 1, 2, 32]);
        assert!(!contests.lose(&BTreeMap::new(), at(40)));
        assert_eq!(contests.contested(at(40)).len(), 1);
        assert_eq!(contests.contested(at(93)), []);
        // A manager that comes back within ten minutes is remembered.
        assert_eq!(put_back_at(&mut contests, &[100]), [false]);
        assert_eq!(contests.contested(at(100)).len(), 1);
        assert!(!contests.lose(&BTreeMap::new(), at(900)));
        assert_eq!(put_back_at(&mut contests, &[900]), [true]);
    }

    #[test]
    fn another_field_is_put_back_at_once() {
        let mut contests = Contests::default();
        put_back_at(&mut contests, &[0, 1, 2]);
        let mut both = image_of("k9s");
        both.insert("replicas".to_owned(), "kubectl".to_owned());
        assert!(contests.lose(&both, at(3)));
    }
}

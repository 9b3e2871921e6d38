//! Measures how long after its 201 a reservation is in its row of the view.

use std::collections::HashMap;
use std::error::Error;
use std::sync::mpsc::{Receiver, TryRecvError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::platform::Platform;
use super::tail::Tail;

/// How long a row may take to appear.
const WITHIN: Duration = Duration::from_secs(10);
/// The pause between two reservations that are followed.
const BETWEEN_RESERVATIONS: Duration = Duration::from_millis(10);
/// The pause between two looks at the view, by which a delay may seem longer than it is.
const BETWEEN_LOOKS: Duration = Duration::from_millis(1);

/// Quantiles of the delays.
#[derive(Debug, PartialEq)]
pub struct Delays {
    /// The delay that half of the reservations did not exceed.
    pub median: Duration,
    /// The delay that 99 of 100 reservations did not exceed.
    pub p99: Duration,
}

/// A reservation, and when its 201 came.
type Answered = (i64, Instant);

/// Makes reservations while `goes_on` says so, up to 100 a second, and follows each to its row.
pub fn measure_until_view(
    platform: &Platform,
    tail: &mut Tail,
    mut goes_on: impl FnMut() -> bool,
) -> Result<Delays, Box<dyn Error>> {
    let (answered, follows) = channel();
    thread::scope(|scope| {
        let follower = scope
            .spawn(move || follow(platform, tail, &follows).map_err(|error| error.to_string()));
        while goes_on() && !follower.is_finished() {
            let id = platform.reserve()?;
            // The follower has ended if nobody receives this, and its error says why.
            let _ = answered.send((id, Instant::now()));
            thread::sleep(BETWEEN_RESERVATIONS);
        }
        drop(answered);
        let delays = follower.join().map_err(|_| "the follower ended early")??;
        quantiles(delays).ok_or_else(|| "nothing was reserved".into())
    })
}

/// The delays of all that is answered, in no order.
fn follow(
    platform: &Platform,
    tail: &mut Tail,
    answered: &Receiver<Answered>,
) -> Result<Vec<Duration>, Box<dyn Error>> {
    let mut meetings = Meetings::default();
    let mut last_answer = Instant::now();
    loop {
        let is_over = loop {
            match answered.try_recv() {
                Ok((id, at)) => {
                    meetings.answered(id, at);
                    last_answer = at;
                }
                Err(TryRecvError::Empty) => break false,
                Err(TryRecvError::Disconnected) => break true,
            }
        };
        for id in tail.fetch_new(platform)? {
            meetings.shown(id, Instant::now());
        }
        if is_over && meetings.awaited.is_empty() {
            return Ok(meetings.delays);
        }
        if last_answer.elapsed() > WITHIN {
            let missing = meetings.awaited.len();
            return Err(format!("{missing} rows were not in the view after {WITHIN:?}").into());
        }
        thread::sleep(BETWEEN_LOOKS);
    }
}

/// Brings together when a reservation was answered and when it was shown, whichever comes first.
#[derive(Default)]
struct Meetings {
    awaited: HashMap<i64, Instant>,
    shown: HashMap<i64, Instant>,
    delays: Vec<Duration>,
}

impl Meetings {
    fn answered(&mut self, id: i64, at: Instant) {
        match self.shown.remove(&id) {
            Some(shown) => self.delays.push(shown.saturating_duration_since(at)),
            None => {
                self.awaited.insert(id, at);
            }
        }
    }

    fn shown(&mut self, id: i64, at: Instant) {
        match self.awaited.remove(&id) {
            Some(answered) => self.delays.push(at.saturating_duration_since(answered)),
            None => {
                self.shown.insert(id, at);
            }
        }
    }
}

fn quantiles(mut delays: Vec<Duration>) -> Option<Delays> {
    delays.sort_unstable();
    let last = delays.len().checked_sub(1)?;
    let at = |percent: usize| delays[(delays.len() * percent / 100).min(last)];
    Some(Delays {
        median: at(50),
        p99: at(99),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_sorted_delays() {
        let delays = (0..100).rev().map(Duration::from_millis).collect();
        let expected = Delays {
            median: Duration::from_millis(50),
            p99: Duration::from_millis(99),
        };
        assert_eq!(quantiles(delays), Some(expected));
        assert_eq!(quantiles(Vec::new()), None);
    }

    #[test]
    fn a_row_that_is_there_before_the_answer_has_no_delay() {
        let began = Instant::now();
        let later = |ms| began + Duration::from_millis(ms);
        let mut meetings = Meetings::default();
        meetings.shown(1, later(1));
        meetings.answered(1, later(2));
        meetings.answered(2, later(3));
        meetings.shown(2, later(8));
        meetings.shown(3, later(9));
        assert_eq!(meetings.delays, [0, 5].map(Duration::from_millis));
        assert!(meetings.awaited.is_empty());
    }
}

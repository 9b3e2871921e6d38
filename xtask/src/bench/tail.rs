//! Follows the rows of the view as they appear.
//!
//! Rows of one batch may appear in another order than that of their ids, and a row may be there
//! before its reservation is known. So the tail stays behind the first id that is not there yet,
//! until it gives it up.

use std::collections::BTreeSet;
use std::error::Error;
use std::time::{Duration, Instant};

use serde_json::Value;

use super::platform::{PAGE, Platform};

/// How long the tail waits for an id before it takes the id for one that no row has.
const PATIENCE: Duration = Duration::from_secs(1);

/// A reader of new rows.
pub struct Tail {
    /// The id after which rows are asked for.
    after: i64,
    /// Ids after that one whose rows were seen.
    seen: BTreeSet<i64>,
    /// Since when an id is missing before those that were seen.
    missing_since: Option<Instant>,
}

impl Tail {
    /// A tail that begins with the first row.
    pub const fn new() -> Self {
        Self {
            after: 0,
            seen: BTreeSet::new(),
            missing_since: None,
        }
    }

    /// Fetches rows, and returns the ids of the reservations that were not there before.
    pub fn fetch_new(&mut self, platform: &Platform) -> Result<Vec<i64>, Box<dyn Error>> {
        let rows = platform.fetch_view_after(self.after)?;
        Ok(self.take(&rows, Instant::now()))
    }

    /// Reads past all rows that are there already.
    pub fn catch_up(&mut self, platform: &Platform) -> Result<(), Box<dyn Error>> {
        loop {
            let rows = platform.fetch_view_after(self.after)?;
            self.take(&rows, Instant::now());
            if rows.len() < PAGE {
                return Ok(());
            }
        }
    }

    fn take(&mut self, rows: &[Value], now: Instant) -> Vec<i64> {
        let known = rows.iter().filter_map(|row| {
            let id = row["id"].as_i64()?;
            Some((id, row["reservationId"].as_i64()?))
        });
        let new: Vec<(i64, i64)> = known.filter(|(id, _)| !self.seen.contains(id)).collect();
        self.seen.extend(new.iter().map(|(id, _)| id));
        if let (Some(since), Some(next)) = (self.missing_since, self.seen.first())
            && now.duration_since(since) > PATIENCE
        {
            self.after = next - 1;
        }
        while self.seen.remove(&(self.after + 1)) {
            self.after += 1;
            self.missing_since = None;
        }
        if !self.seen.is_empty() {
            self.missing_since.get_or_insert(now);
        }
        new.into_iter()
            .map(|(_, reservation)| reservation)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row(id: i64, reservation: Option<i64>) -> Value {
        json!({ "id": id, "reservationId": reservation })
    }

    #[test]
    fn a_row_that_appears_late_is_not_missed() {
        let now = Instant::now();
        let mut tail = Tail::new();
        assert_eq!(
            tail.take(&[row(1, Some(11)), row(3, Some(13))], now),
            [11, 13]
        );
        assert_eq!(tail.after, 1);
        assert_eq!(tail.take(&[row(2, Some(12)), row(3, Some(13))], now), [12]);
        assert_eq!(tail.after, 3);
    }

    #[test]
    fn a_row_counts_from_when_it_has_its_reservation() {
        let now = Instant::now();
        let mut tail = Tail::new();
        assert!(tail.take(&[row(1, None)], now).is_empty());
        assert_eq!(tail.take(&[row(1, Some(11))], now), [11]);
    }

    #[test]
    fn an_id_that_no_row_has_is_given_up() {
        let now = Instant::now();
        let mut tail = Tail::new();
        assert_eq!(tail.take(&[row(5, Some(15))], now), [15]);
        assert_eq!(tail.after, 0);
        let later = now + PATIENCE + Duration::from_millis(1);
        assert!(tail.take(&[row(5, Some(15))], later).is_empty());
        assert_eq!(tail.after, 5);
    }

    #[test]
    fn a_tail_that_was_not_read_for_long_misses_no_late_row() {
        let now = Instant::now();
        let mut tail = Tail::new();
        assert_eq!(tail.take(&[row(1, Some(11))], now), [11]);
        let later = now + PATIENCE * 10;
        assert_eq!(tail.take(&[row(3, Some(13))], later), [13]);
        let soon = later + Duration::from_millis(1);
        let both = [row(2, Some(12)), row(3, Some(13))];
        assert_eq!(tail.take(&both, soon), [12]);
    }
}

//! How far a partition is done, although records are done in any order.

use std::collections::BTreeMap;

/// The progress in one partition.
#[derive(Debug, Default)]
pub struct Progress {
    /// The offsets that are not done, each with the number of times that it was delivered: a
    /// partition that was lost and came back begins again at what was committed.
    open: BTreeMap<i64, u32>,
    /// The offset that was delivered last. It is lower than one before it if a partition came back,
    /// or if its topic was re-created.
    last: Option<i64>,
}

impl Progress {
    /// A record was delivered.
    pub fn delivered(&mut self, offset: i64) {
        *self.open.entry(offset).or_default() += 1;
        self.last = Some(offset);
    }

    /// A record is done.
    pub fn finished(&mut self, offset: i64) {
        if let Some(times) = self.open.get_mut(&offset) {
            *times -= 1;
            if *times == 0 {
                self.open.remove(&offset);
            }
        }
    }

    /// The offset up to which everything that was delivered is done; `None` if nothing was
    /// delivered.
    pub fn done(&self) -> Option<i64> {
        let last = self.last?;
        let first_open = self.open.keys().next();
        Some(first_open.map_or(last, |open| last.min(open - 1)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn progress(delivered: &[i64], finished: &[i64]) -> Option<i64> {
        let mut progress = Progress::default();
        for offset in delivered {
            progress.delivered(*offset);
        }
        for offset in finished {
            progress.finished(*offset);
        }
        progress.done()
    }

    #[test]
    fn what_is_done_ends_before_the_first_record_that_is_not() {
        assert_eq!(progress(&[], &[]), None);
        assert_eq!(progress(&[5, 6, 9], &[6, 9]), Some(4));
        assert_eq!(progress(&[5, 6, 9], &[5, 6]), Some(8));
        assert_eq!(progress(&[5, 6, 9], &[9, 6, 5]), Some(9));
    }

    #[test]
    fn a_record_that_was_delivered_twice_is_done_when_both_are() {
        assert_eq!(progress(&[5, 6, 5, 6], &[5, 6]), Some(4));
        assert_eq!(progress(&[5, 6, 5, 6], &[5, 6, 6, 5]), Some(6));
    }

    #[test]
    fn a_topic_that_was_re_created_is_not_marked_beyond_what_it_delivered() {
        assert_eq!(progress(&[900, 901, 0, 1], &[900, 0, 1]), Some(1));
    }
}

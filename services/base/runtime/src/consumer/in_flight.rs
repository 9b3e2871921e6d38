//! The records in hand: one of each saga is being handled, and its later ones wait behind it.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;

use futures::future::BoxFuture;
use futures::stream::FuturesUnordered;
use futures::{FutureExt, StreamExt};
use innkeeper_kit::log::{Content, Record};

use super::progress::Progress;

/// A saga within the log. Records without a key are one per partition.
type Saga = (i32, Option<String>);

/// Handles a record; `false` if it was not handled because the service stops.
type Handle<'a> = Box<dyn Fn(Arc<Record>) -> BoxFuture<'a, bool> + Send + 'a>;

/// A record that is no longer being handled.
struct Left {
    saga: Saga,
    offset: i64,
    is_done: bool,
}

/// The records in hand.
pub struct InFlight<'a> {
    handle: Handle<'a>,
    running: FuturesUnordered<BoxFuture<'a, Left>>,
    /// The sagas of running records, with the records that wait behind them.
    waiting: HashMap<Saga, VecDeque<Arc<Record>>>,
    count: usize,
    progress: HashMap<i32, Progress>,
    /// The partitions in which records were done since the last look.
    advanced: BTreeSet<i32>,
}

impl<'a> InFlight<'a> {
    /// Holds no records yet; `handle` handles each one.
    pub fn of(handle: impl Fn(Arc<Record>) -> BoxFuture<'a, bool> + Send + 'a) -> Self {
        Self {
            handle: Box::new(handle),
            running: FuturesUnordered::new(),
            waiting: HashMap::new(),
            count: 0,
            progress: HashMap::new(),
            advanced: BTreeSet::new(),
        }
    }

    /// Whether no record is in hand.
    pub fn is_empty(&self) -> bool {
        self.running.is_empty()
    }

    /// How many sagas have records in hand.
    pub fn sagas(&self) -> usize {
        self.running.len()
    }

    /// How many records are in hand.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Takes records, which are in order per partition. Those that are passed over are done at
    /// once.
    pub fn add(&mut self, records: Vec<Arc<Record>>, is_passed_over: impl Fn(&Record) -> bool) {
        for record in records {
            let progress = self.progress.entry(record.partition).or_default();
            progress.delivered(record.offset);
            if is_passed_over(&record) {
                progress.finished(record.offset);
                self.advanced.insert(record.partition);
                continue;
            }
            self.count += 1;
            let saga = (record.partition, record.key.clone());
            if let Some(behind) = self.waiting.get_mut(&saga) {
                behind.push_back(record);
            } else {
                self.waiting.insert(saga.clone(), VecDeque::new());
                self.start(saga, record);
            }
        }
    }

    /// Waits until records were handled. The future can be dropped while it waits.
    pub async fn handled(&mut self) {
        let mut left = self.running.next().await;
        while let Some(record) = left {
            self.leave(record);
            left = self.running.next().now_or_never().flatten();
        }
    }

    /// The end of what is done in each partition that has advanced since the last call. All that
    /// came before these records is done too.
    pub fn take_done(&mut self) -> Vec<Arc<Record>> {
        let advanced = std::mem::take(&mut self.advanced).into_iter();
        let done = advanced.filter_map(|partition| {
            let offset = self.progress.get(&partition)?.done()?;
            Some(Arc::new(Record {
                partition,
                offset,
                key: None,
                content: Content::Encoded {
                    headers: Vec::new(),
                    payload: Vec::new(),
                },
            }))
        });
        done.collect()
    }

    fn start(&mut self, saga: Saga, record: Arc<Record>) {
        let offset = record.offset;
        let handled = (self.handle)(record);
        let left = handled.map(move |is_done| Left {
            saga,
            offset,
            is_done,
        });
        self.running.push(left.boxed());
    }

    fn leave(&mut self, left: Left) {
        let partition = left.saga.0;
        self.count -= 1;
        if !left.is_done {
            // What waits behind it is not handled either, and is delivered to the next process.
            let behind = self.waiting.remove(&left.saga);
            self.count -= behind.map_or(0, |behind| behind.len());
            return;
        }
        if let Some(progress) = self.progress.get_mut(&partition) {
            progress.finished(left.offset);
            self.advanced.insert(partition);
        }
        let behind = self.waiting.get_mut(&left.saga);
        match behind.and_then(VecDeque::pop_front) {
            Some(next) => self.start(left.saga, next),
            None => drop(self.waiting.remove(&left.saga)),
        }
    }
}

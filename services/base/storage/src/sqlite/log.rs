//! The log in a file that the services of a platform share: a step's own commit publishes what the
//! step adds.

pub mod table;

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::sync::Arc;

use innkeeper_broker::Retention;
use innkeeper_broker::embedded::tail::Tail;
use innkeeper_broker::embedded::{Bounds, PARTITION, record_at};
use innkeeper_contracts::Event;
use innkeeper_kit::log::{Content, NewRecord, Record};
use rusqlite::Connection;
use table::CommonHeaders;

/// How often old records are pruned, in milliseconds.
const PRUNE_INTERVAL_MS: i64 = 60_000;

/// How many common headers are known by their ids. Beyond these few the table is asked.
const KNOWN_HEADERS: usize = 64;

/// The end of the log, which only the writer's thread moves.
pub struct LogWriter {
    tail: Arc<Tail>,
    retention: Retention,
    groups: Vec<String>,
    next_prune_ms: Cell<i64>,
    /// The bounds as they are durable.
    bounds: Cell<Bounds>,
    /// The bounds in the open transaction, and the records that were appended in it.
    open: RefCell<(Bounds, Vec<Arc<Record>>)>,
    headers: RefCell<Vec<(CommonHeaders, i64)>>,
}

impl LogWriter {
    /// The end of the log whose consumers read from this tail, and are in these groups.
    pub fn new(tail: Arc<Tail>, retention: Retention, groups: Vec<String>) -> Self {
        let bounds = *tail.subscribe().borrow();
        Self {
            tail,
            retention,
            groups,
            next_prune_ms: Cell::new(i64::MIN),
            bounds: Cell::new(bounds),
            open: RefCell::new((bounds, Vec::new())),
            headers: RefCell::default(),
        }
    }

    /// Forgets what was appended in a transaction that was rolled back.
    pub fn rolled_back(&self) {
        *self.open.borrow_mut() = (self.bounds.get(), Vec::new());
        self.headers.borrow_mut().clear();
    }

    /// Appends a record in the open transaction; `event` is what it says, if that is known.
    pub fn append(
        &self,
        connection: &Connection,
        record: NewRecord,
        event: Option<Arc<Event>>,
    ) -> rusqlite::Result<()> {
        let headers_id = self.headers_id(connection, &record)?;
        let (bounds, appended) = &mut *self.open.borrow_mut();
        let now_ms = self.retention.now_ms();
        table::insert(connection, bounds.next, &record, headers_id, now_ms)?;
        appended.push(match event {
            Some(event) => Arc::new(Record {
                partition: PARTITION,
                offset: bounds.next,
                key: Some(record.key),
                content: Content::Event(event),
            }),
            None => record_at(bounds.next, record),
        });
        bounds.next += 1;
        Ok(())
    }

    fn headers_id(&self, connection: &Connection, record: &NewRecord) -> rusqlite::Result<i64> {
        let mut known = self.headers.borrow_mut();
        let found = known
            .iter()
            .find(|(headers, _)| table::are_common(headers, record));
        if let Some((_, id)) = found {
            return Ok(*id);
        }
        let headers = table::common_headers(record);
        let id = table::common_headers_id(connection, &headers)?;
        if known.len() < KNOWN_HEADERS {
            known.push((headers, id));
        }
        Ok(id)
    }

    /// Does what belongs into a commit besides its work: saves the offsets of groups, and prunes
    /// now and then.
    pub fn complete(
        &self,
        connection: &Connection,
        offsets: &HashMap<String, i64>,
    ) -> rusqlite::Result<()> {
        let now_ms = self.retention.now_ms();
        for (group, next) in offsets {
            table::save_offset(connection, group, *next, now_ms)?;
        }
        if now_ms < self.next_prune_ms.get() {
            return Ok(());
        }
        let (bounds, _) = &mut *self.open.borrow_mut();
        for group in &self.groups {
            table::keep_group(connection, group, bounds.low, now_ms)?;
        }
        let before = bounds.low;
        bounds.low = table::prune(connection, *bounds, self.retention.cutoff_ms())?;
        if bounds.low == before {
            self.next_prune_ms.set(now_ms + PRUNE_INTERVAL_MS);
        }
        Ok(())
    }

    /// Publishes what a commit has made durable.
    pub fn committed(&self) {
        let (bounds, appended) = &mut *self.open.borrow_mut();
        let before = self.bounds.replace(*bounds);
        if *bounds != before {
            self.tail.extend(std::mem::take(appended), *bounds);
        }
    }
}

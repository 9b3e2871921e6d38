//! The log in memory.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_broker::{MemoryLog, Retention};
use innkeeper_kit::log::Log;
use innkeeper_testkit::clock::MockClock;
use jiff::SignedDuration;

use crate::subject::{Subject, check};
use crate::{cases, conformance};

struct Memory {
    log: MemoryLog,
    clock: Arc<MockClock>,
}

fn memory() -> Box<dyn Subject> {
    let clock = Arc::new(MockClock::default());
    let retention = Retention::of(SignedDuration::from_hours(1), clock.clone());
    Box::new(Memory {
        log: MemoryLog::new(retention),
        clock,
    })
}

#[async_trait]
impl Subject for Memory {
    fn log(&self, group: &str) -> Arc<dyn Log> {
        self.log.for_group(group)
    }

    fn stores_ids_once(&self) -> bool {
        true
    }

    async fn retire(&self) {
        self.clock.advance(SignedDuration::from_hours(2));
    }
}

conformance!(memory());

#[tokio::test]
async fn members_without_partitions_are_told_and_take_over() {
    check(memory(), async |subject| {
        cases::members_without_partitions_are_told_and_take_over(subject).await;
    })
    .await;
}

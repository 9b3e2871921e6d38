//! The suite on the store in memory, which other crates' tests use.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use innkeeper_kit::store::Store;
use innkeeper_testkit::clock::MockClock;
use innkeeper_testkit::store::{Memory, MemoryStore};
use jiff::SignedDuration;

use crate::suite::{Fixture, conformance};

#[derive(Default)]
struct InMemory {
    memory: Memory,
    clock: Arc<MockClock>,
}

impl InMemory {
    fn make() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Fixture for InMemory {
    async fn open(&self) -> Arc<dyn Store> {
        Arc::new(MemoryStore::open(self.memory.clone(), self.clock.clone()))
    }

    async fn pass_time(&self, by: Duration) {
        self.clock.advance(SignedDuration::try_from(by).unwrap());
    }
}

conformance!(InMemory);

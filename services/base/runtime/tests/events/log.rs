//! A log that fails as the test says, and remembers what it saw.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use innkeeper_kit::log::{Log, LogError, NewRecord, Subscription};
use innkeeper_kit::store::Store;
use tokio::sync::watch;

/// What the log saw of one append.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Append {
    /// The payloads, in order.
    pub payloads: Vec<String>,
    /// Whether every event was still in the outbox.
    pub kept: bool,
}

/// A log between a service and the real one.
pub struct Failing {
    log: Arc<dyn Log>,
    store: Arc<dyn Store>,
    failures_left: AtomicU32,
    /// What was appended with success.
    pub appends: watch::Sender<Vec<Append>>,
}

impl Failing {
    /// A log that fails this many times before it works.
    pub fn times(failures: u32, log: Arc<dyn Log>, store: Arc<dyn Store>) -> Arc<Self> {
        Arc::new(Self {
            log,
            store,
            failures_left: AtomicU32::new(failures),
            appends: watch::Sender::default(),
        })
    }

    fn fail(&self) -> Result<(), LogError> {
        let less = |left: u32| left.checked_sub(1);
        match self
            .failures_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        {
            Ok(_) => Err(LogError::Unavailable("on purpose".into())),
            Err(_) => Ok(()),
        }
    }

    async fn keeps(&self, records: &[NewRecord]) -> bool {
        let waiting = self.store.load_unpublished(u32::MAX).await.unwrap();
        let waits = |record: &NewRecord| waiting.iter().any(|event| event.id == record.id);
        records.iter().all(waits)
    }
}

#[async_trait]
impl Log for Failing {
    async fn append(&self, records: Vec<NewRecord>) -> Result<(), LogError> {
        self.fail()?;
        let text = |record: &NewRecord| String::from_utf8(record.payload.clone()).unwrap();
        let append = Append {
            payloads: records.iter().map(text).collect(),
            kept: self.keeps(&records).await,
        };
        self.log.append(records).await?;
        self.appends.send_modify(|appends| appends.push(append));
        Ok(())
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        self.fail()?;
        self.log.subscribe().await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}

/// A log that panics.
pub struct Panicking;

#[async_trait]
impl Log for Panicking {
    async fn append(&self, _: Vec<NewRecord>) -> Result<(), LogError> {
        panic!("on purpose")
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        panic!("on purpose")
    }

    async fn ping(&self) -> Result<(), LogError> {
        panic!("on purpose")
    }
}

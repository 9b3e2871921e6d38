//! A log that fails as the test says, and remembers what it saw.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use async_trait::async_trait;
use futures::stream::{self, BoxStream, FuturesUnordered};
use futures::{FutureExt, StreamExt};
use innkeeper_kit::log::{
    AppendError, Appended, Log, LogError, NewRecord, Partition, Subscription,
};
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

    async fn append_all(&self, records: Vec<NewRecord>) -> Vec<Appended> {
        if self.fail().is_err() {
            let failed = |index| (index, Err(AppendError::NotNow(on_purpose())));
            return (0..records.len()).map(failed).collect();
        }
        let text = |record: &NewRecord| String::from_utf8(record.payload.clone()).unwrap();
        let append = Append {
            payloads: records.iter().map(text).collect(),
            kept: self.keeps(&records).await,
        };
        let appended = self.log.append(records).collect().await;
        self.appends.send_modify(|appends| appends.push(append));
        appended
    }

    fn fail(&self) -> Result<(), LogError> {
        let less = |left: u32| left.checked_sub(1);
        match self
            .failures_left
            .fetch_update(Ordering::SeqCst, Ordering::SeqCst, less)
        {
            Ok(_) => Err(on_purpose()),
            Err(_) => Ok(()),
        }
    }

    async fn keeps(&self, records: &[NewRecord]) -> bool {
        let waiting = self.store.load_unpublished(None, u32::MAX).await.unwrap();
        let waits = |record: &NewRecord| waiting.iter().any(|event| event.id == record.id);
        records.iter().all(waits)
    }
}

#[async_trait]
impl Log for Failing {
    fn append(&self, records: Vec<NewRecord>) -> BoxStream<'_, Appended> {
        let appended = self.append_all(records).map(stream::iter);
        appended.flatten_stream().boxed()
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        self.fail()?;
        self.log.subscribe().await
    }

    async fn ping(&self) -> Result<(), LogError> {
        self.log.ping().await
    }
}

fn on_purpose() -> LogError {
    LogError::Unavailable("on purpose".into())
}

/// What a [`Picky`] log does with a record.
pub enum Does {
    Take,
    Fail,
    Refuse,
    /// It does not answer until it has changed its mind.
    Stall,
}

type Decide = dyn Fn(&NewRecord) -> Does + Send + Sync;

/// A log that decides about each record, and remembers those that it took.
pub struct Picky {
    decide: watch::Sender<Arc<Decide>>,
    /// The payloads of the records that it took, in order.
    pub taken: watch::Sender<Vec<String>>,
    /// How often it was asked to take each payload.
    pub tries: watch::Sender<Vec<String>>,
}

impl Picky {
    pub fn new(decide: impl Fn(&NewRecord) -> Does + Send + Sync + 'static) -> Arc<Self> {
        Arc::new(Self {
            decide: watch::Sender::new(Arc::new(decide)),
            taken: watch::Sender::default(),
            tries: watch::Sender::default(),
        })
    }

    pub fn change_its_mind(&self, decide: impl Fn(&NewRecord) -> Does + Send + Sync + 'static) {
        self.decide.send_replace(Arc::new(decide));
    }

    async fn take(&self, record: &NewRecord) -> Result<(), AppendError> {
        let payload = String::from_utf8_lossy(&record.payload).into_owned();
        self.tries.send_modify(|tries| tries.push(payload.clone()));
        let mut decides = self.decide.subscribe();
        loop {
            let decide = Arc::clone(&decides.borrow_and_update());
            match decide(record) {
                Does::Take => break,
                Does::Fail => return Err(AppendError::NotNow(on_purpose())),
                Does::Refuse => return Err(AppendError::Refused("on purpose".into())),
                Does::Stall => decides.changed().await.unwrap(),
            }
        }
        self.taken.send_modify(|taken| taken.push(payload));
        Ok(())
    }

    /// Takes the records of one key, up to the first that it does not take.
    async fn take_in_turn(&self, records: Vec<(usize, NewRecord)>) -> Vec<Appended> {
        let mut appended: Vec<Appended> = Vec::new();
        for (index, record) in records {
            let is_behind = appended.last().is_some_and(|(_, result)| result.is_err());
            let result = if is_behind {
                Err(AppendError::BehindAnother)
            } else {
                self.take(&record).await
            };
            appended.push((index, result));
        }
        appended
    }
}

#[async_trait]
impl Log for Picky {
    fn append(&self, records: Vec<NewRecord>) -> BoxStream<'_, Appended> {
        let mut by_key = BTreeMap::<String, Vec<_>>::new();
        for (index, record) in records.into_iter().enumerate() {
            let of_key = by_key.entry(record.key.clone()).or_default();
            of_key.push((index, record));
        }
        let taking = by_key
            .into_values()
            .map(|records| self.take_in_turn(records));
        let taking: FuturesUnordered<_> = taking.collect();
        taking.flat_map(stream::iter).boxed()
    }

    /// Sagas with a small number have a partition of their own.
    fn partition_of(&self, key: &str) -> Partition {
        let number = i32::from(!key.starts_with("00000000"));
        Partition { number, count: 2 }
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        Err(on_purpose())
    }

    async fn ping(&self) -> Result<(), LogError> {
        Ok(())
    }
}

/// A log that panics.
pub struct Panicking;

#[async_trait]
impl Log for Panicking {
    fn append(&self, _: Vec<NewRecord>) -> BoxStream<'_, Appended> {
        panic!("on purpose")
    }

    async fn subscribe(&self) -> Result<Box<dyn Subscription>, LogError> {
        panic!("on purpose")
    }

    async fn ping(&self) -> Result<(), LogError> {
        panic!("on purpose")
    }
}

//! Reacts to every event of a saga. The first one creates the row, whichever it is.

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType};
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{ClaimChange, Row, RowWrite, StoreError, Write, WriteError};
use innkeeper_runtime::component::Reactor;

use crate::View;
use crate::domain::Cells;

/// The state of every row.
const STATE: &str = "shown";

#[async_trait]
impl Reactor for View {
    fn wants(&self, _event_type: EventType) -> bool {
        true
    }

    async fn react(&self, event: &Event) -> Result<Effect, StoreError> {
        let mut sources = self
            .settings
            .columns
            .iter()
            .flat_map(|column| &column.sources);
        if !sources.any(|source| source.service == event.source.service) {
            return Ok(Effect::None);
        }
        loop {
            let row = self.store.load(event.correlation_id).await?;
            let Some(row) = self.prepare_update(row.as_ref(), event).await? else {
                return Ok(Effect::None);
            };
            match self
                .store
                .write(Write {
                    row: Some(row),
                    inbox: Some(event.id),
                    ..Write::default()
                })
                .await
            {
                Ok(()) => return Ok(Effect::Done),
                Err(WriteError::Duplicate) => return Ok(Effect::Duplicate),
                Err(WriteError::Store(error)) => return Err(error),
                Err(WriteError::Conflict | WriteError::KeyTaken) => {}
            }
        }
    }
}

impl View {
    /// The write of the row after an event; `None` if the event changes nothing. A new row gets a
    /// new id.
    async fn prepare_update(
        &self,
        row: Option<&Row>,
        event: &Event,
    ) -> Result<Option<RowWrite>, StoreError> {
        let cells = row.map(cells).transpose()?.unwrap_or_default();
        let Some(cells) = cells.updated(&self.settings, event) else {
            return Ok(None);
        };
        let id = match row.and_then(|row| row.id) {
            Some(id) => id,
            None => self.store.reserve_id().await?,
        };
        Ok(Some(RowWrite {
            correlation_id: event.correlation_id,
            id: Some(id),
            expected_version: row.map_or(0, |row| row.version),
            state: STATE.to_owned(),
            clock: row.map_or(0, |row| row.clock).max(event.data.clock),
            body: serde_json::to_string(&cells).expect("cells have only string keys"),
            claim: ClaimChange::Release,
        }))
    }
}

/// The cells of a stored row.
pub fn cells(row: &Row) -> Result<Cells, StoreError> {
    serde_json::from_str(&row.body).map_err(|error| StoreError::Failed(Box::new(error)))
}

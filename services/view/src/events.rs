//! Reacts to every event of a saga. The first one creates the row, whichever it is.

use std::sync::Arc;

use async_trait::async_trait;
use innkeeper_contracts::{Event, EventType, settings};
use innkeeper_kit::Failure;
use innkeeper_kit::entity::RestoreError;
use innkeeper_kit::repository::Effect;
use innkeeper_kit::store::{
    Changes, ClaimChange, Row, RowChange, Scope, Seen, StepInput, StepOutcome, StoreError,
};
use innkeeper_runtime::component::Reactor;

use crate::View;
use crate::domain::Cells;

/// The kind of row.
const AGGREGATE: &str = "view";

/// The state of every row.
const STATE: &str = "shown";

#[async_trait]
impl Reactor for View {
    fn wants(&self) -> &'static [EventType] {
        EventType::KNOWN
    }

    async fn react(&self, event: &Arc<Event>) -> Result<Effect, Failure> {
        let columns = self.settings.columns.iter();
        let mut sources = columns.flat_map(|column| &column.sources);
        if !sources.any(|source| source.service == event.source.service) {
            return Ok(Effect::None);
        }
        let input = StepInput {
            inbox: Some(event.id),
            may_insert: true,
            ..StepInput::about(Scope::Saga(event.correlation_id))
        };
        let (settings, event) = (Arc::clone(&self.settings), Arc::clone(event));
        let shown = self.store.decide(input, move |seen| {
            let Some(row) = updated(&settings, &event, seen)? else {
                return Ok((Changes::default(), Effect::None));
            };
            let changes = Changes {
                rows: vec![row],
                ..Changes::default()
            };
            Ok((changes, Effect::Done))
        });
        Ok(match shown.await? {
            StepOutcome::Done(effect) => effect,
            StepOutcome::Duplicate => Effect::Duplicate,
        })
    }
}

/// The row after an event; `None` if the event changes nothing.
fn updated(
    settings: &settings::View,
    event: &Event,
    seen: &Seen,
) -> Result<Option<RowChange>, StoreError> {
    let row = seen.row(AGGREGATE);
    let mut cells = row.map(cells).transpose()?.unwrap_or_default();
    let has_changed = cells.update(settings, event);
    Ok(has_changed.then(|| RowChange {
        row_id: event.correlation_id,
        correlation_id: event.correlation_id,
        aggregate: AGGREGATE,
        id: row.map_or(seen.new_id, |row| row.id),
        seen_version: row.map_or(0, |row| row.version),
        state: STATE.to_owned(),
        clock: row.map_or(0, |row| row.clock).max(event.data.clock),
        body: serde_json::to_string(&cells).expect("cells have only string keys"),
        claim: ClaimChange::Release,
        owner: None,
        second_key: None,
        parent: None,
    }))
}

/// The cells of a stored row.
pub fn cells(row: &Row) -> Result<Cells, StoreError> {
    serde_json::from_str(&row.body).map_err(|source| {
        let correlation_id = row.correlation_id;
        RestoreError::Body {
            correlation_id,
            source,
        }
        .into()
    })
}

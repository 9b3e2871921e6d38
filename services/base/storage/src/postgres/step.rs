//! Runs one step: loads, decides, and writes everything in one statement. Other writers are noticed
//! by the versions of their rows; then the step decides anew. Only parent rows are locked.

use deadpool_postgres::GenericClient;
use innkeeper_kit::Failure;
use innkeeper_kit::store::{
    Changes, MAX_DECISIONS, Row, Scope, Seen, Step, StepInput, StepOutcome, contended,
};
use tokio_postgres::IsolationLevel;

use super::connections::{Connections, QueryError, Tables};
use super::write::{self, WriteError};
use super::{messages, rows};

/// What a step did.
pub struct Ran {
    pub outcome: StepOutcome,
    /// Whether it added events to the outbox.
    pub has_events: bool,
}

/// Runs a step until no other writer interferes.
pub async fn run(connections: &Connections, mut step: Step) -> Result<Ran, Failure> {
    let mut drawn = None;
    for _ in 0..MAX_DECISIONS {
        match attempt(connections, &mut step, &mut drawn).await {
            Err(Interrupted::Conflict) => {}
            Err(Interrupted::Duplicate) => {
                return Ok(Ran {
                    outcome: StepOutcome::Duplicate,
                    has_events: false,
                });
            }
            Err(Interrupted::Refused(failure)) => return Err(failure),
            Err(Interrupted::Query(error)) => return Err(Failure::Store(error.into())),
            Ok(changes) => {
                return Ok(Ran {
                    outcome: StepOutcome::Done(()),
                    has_events: !changes.events.is_empty(),
                });
            }
        }
    }
    Err(contended().into())
}

/// Why an attempt changed nothing.
enum Interrupted {
    /// The rows are not as they were seen. Another attempt sees them as they are.
    Conflict,
    /// The consumed event had its effect before.
    Duplicate,
    Refused(Failure),
    Query(QueryError),
}

impl From<QueryError> for Interrupted {
    fn from(error: QueryError) -> Self {
        Self::Query(error)
    }
}

impl From<WriteError> for Interrupted {
    fn from(error: WriteError) -> Self {
        match error {
            WriteError::Conflict => Self::Conflict,
            WriteError::Duplicate => Self::Duplicate,
            WriteError::Query(error) => Self::Query(error),
        }
    }
}

async fn attempt(
    connections: &Connections,
    step: &mut Step,
    drawn: &mut Option<i64>,
) -> Result<Changes, Interrupted> {
    let mut session = connections.session().await?;
    let canceller = session.canceller();
    let attempt = async {
        if !step.input.scope.has_parent() {
            return decide(&connections.tables(session.client()), step, drawn).await;
        }
        // Locked children are seen by a later statement than the lock.
        let transaction = session
            .client()
            .build_transaction()
            .isolation_level(IsolationLevel::ReadCommitted);
        let transaction = transaction.start().await.map_err(QueryError::from)?;
        let tables = connections.tables(&transaction);
        let changes = decide(&tables, step, drawn).await?;
        transaction.commit().await.map_err(QueryError::from)?;
        Ok(changes)
    };
    let Some(outcome) = canceller.in_time(attempt).await else {
        return Err(QueryError::TimedOut.into());
    };
    session.finish();
    outcome
}

async fn decide(
    tables: &Tables<'_, impl GenericClient>,
    step: &mut Step,
    drawn: &mut Option<i64>,
) -> Result<Changes, Interrupted> {
    let seen = look(tables, &step.input, drawn).await?;
    let inbox = step.input.inbox;
    match (step.decide)(&seen) {
        Ok(changes) => {
            if !changes.is_empty() {
                write::run(tables, &changes, inbox).await?;
            }
            Ok(changes)
        }
        Err(failure) => Err(match inbox {
            Some(event) if messages::has_seen(tables, event).await? => Interrupted::Duplicate,
            _ => Interrupted::Refused(failure),
        }),
    }
}

async fn look(
    tables: &Tables<'_, impl GenericClient>,
    input: &StepInput,
    drawn: &mut Option<i64>,
) -> Result<Seen, QueryError> {
    let key = match &input.key {
        Some(key) => messages::load_key(tables, key).await?,
        None => None,
    };
    let saga_of_key = key.as_ref().map(|key| Scope::Saga(key.correlation_id));
    let mut rows: Vec<Row> = Vec::new();
    let mut now = None;
    for part in input.scope.parts().into_iter().chain(&saga_of_key) {
        let (loaded, time) = rows::load_part(tables, part).await?;
        now = now.or(time);
        for row in loaded {
            if rows.iter().all(|known| known.row_id != row.row_id) {
                rows.push(row);
            }
        }
    }
    let is_new = input.may_insert && rows.is_empty();
    if is_new && drawn.is_none() {
        let (id, time) = rows::draw_id(tables).await?;
        *drawn = Some(id);
        now = now.or(Some(time));
    }
    let now = match now {
        Some(now) => now,
        None => rows::fetch_time(tables).await?,
    };
    Ok(Seen {
        rows,
        key,
        new_id: drawn.filter(|_| is_new),
        now,
    })
}

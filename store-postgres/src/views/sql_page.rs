//! A page of a SQL projection: one transaction for rows, parked events and the checkpoint.

use super::{
    PostgresDocuments,
    generation::Generation,
    page::outcome,
    tables,
    transaction::{Halt, Transaction},
};
use crate::{SQL_PAGE_WAIT_MAX, SqlProjection, SqlRefusal, Told, failure::is_refused};
use annals::{CheckpointError, PageWrite, Parked, Position, ProjectError, RecordedEvent, Step, error_text};
use chrono::{DateTime, Utc};
use sqlx::{Error, Row};
use std::{collections::HashSet, io, sync::Arc};

/// What somebody wants done with the parked events of one key, read before.
pub(super) struct Again {
    pub(super) key: Arc<str>,
    /// What is dropped without being tried.
    pub(super) dropped: Vec<Parked>,
    /// What is tried again, in order.
    pub(super) tried: Vec<Parked>,
}

impl PostgresDocuments {
    /// Lets `projection` handle `told`, and makes `step`; says what was parked. With `again`, these are parked events.
    pub(super) async fn handle_page<P: SqlProjection>(
        &self,
        projection: &P,
        step: &Step,
        told: Vec<Told<'_, P::Event>>,
        again: Option<&Again>,
    ) -> Result<Vec<Parked>, CheckpointError> {
        let mut tx = self.begin("handling a page").await?;
        let done = handle(&mut tx, projection, step, told, again, Utc::now()).await;
        tx.end(done).await
    }
}

async fn handle<P: SqlProjection>(
    tx: &mut Transaction<'_>,
    projection: &P,
    step: &Step,
    told: Vec<Told<'_, P::Event>>,
    again: Option<&Again>,
    now: DateTime<Utc>,
) -> Result<Vec<Parked>, Halt<CheckpointError>> {
    // The row is locked until the end: whoever takes the lease over waits for this page, or finds it written.
    let found = Generation::get::<CheckpointError>(tx, &step.subscriber).await?;
    found.check_lease(step.epoch)?;
    let key_of = |told: &Told<'_, P::Event>| match again {
        Some(again) => again.key.clone(),
        None => projection.key(&told.event, told.recorded),
    };
    let mut parked = match again {
        Some(_) => HashSet::new(),
        None => parked_keys(tx, found.id, told.iter().map(key_of).collect()).await?,
    };
    let (follows, flows): (Vec<_>, Vec<_>) =
        told.into_iter().partition(|told| parked.contains(&key_of(told)));
    let mut write = PageWrite::default();
    tables::enter(tx, found.id).await?;
    if try_events(tx, projection, &flows).await?.is_some() {
        // What an upcast made of one recorded event counts as a whole or not at all.
        for several in flows.chunk_by(|a, b| a.recorded.position == b.recorded.position) {
            let key = key_of(&several[0]);
            let refusal = match parked.contains(&key) {
                true => Some(String::new()),
                false => try_events(tx, projection, several).await?,
            };
            if let Some(error) = refusal {
                write.park.push(refused(&key, several[0].recorded, error, now));
                parked.insert(key);
            }
        }
    }
    for several in follows.chunk_by(|a, b| a.recorded.position == b.recorded.position) {
        write.park.push(refused(&key_of(&several[0]), several[0].recorded, String::new(), now));
    }
    if let Some(again) = again {
        let still: HashSet<Position> = write.park.iter().map(|entry| entry.position).collect();
        let done = again.tried.iter().filter(|entry| !still.contains(&entry.position));
        let settled = again.dropped.iter().chain(done);
        write.settled = settled.map(|entry| (again.key.clone(), entry.position)).collect();
        write.park = write.park.into_iter().filter_map(|now| counted(now, &again.tried)).collect();
    }
    let rows = tx.rows(tx.store().page_query(None, step, &write)).await?;
    outcome(&rows[0], step)?.map_err(Halt::Refused)?;
    Ok(write.park)
}

/// Lets the projection write `told`; if it refuses, takes that back and says why.
async fn try_events<P: SqlProjection>(
    tx: &mut Transaction<'_>,
    projection: &P,
    told: &[Told<'_, P::Event>],
) -> Result<Option<String>, Halt<CheckpointError>> {
    if told.is_empty() {
        return Ok(None);
    }
    tx.say("SAVEPOINT handling").await?;
    // The author's statements know no limit of ours, and a server that is gone without a word answers none of them.
    let handled = tokio::time::timeout(SQL_PAGE_WAIT_MAX, projection.handle(tx.connection(), told)).await;
    let refusal = match handled.map_err(|late| Error::Io(io::Error::new(io::ErrorKind::TimedOut, late)))? {
        Ok(()) => {
            tx.say("RELEASE SAVEPOINT handling").await?;
            return Ok(None);
        }
        Err(SqlRefusal::Database(error)) if !is_refused(&error) => return Err(error.into()),
        Err(SqlRefusal::Database(error)) => {
            error_text(&ProjectError::because("the database refuses what it writes", error))
        }
        Err(SqlRefusal::Refused(refusal)) => error_text(&refusal),
    };
    tx.say("ROLLBACK TO SAVEPOINT handling").await?;
    Ok(Some(refusal))
}

async fn parked_keys(
    tx: &mut Transaction<'_>,
    id: i64,
    keys: HashSet<Arc<str>>,
) -> Result<HashSet<Arc<str>>, sqlx::Error> {
    let names: Vec<&str> = keys.iter().map(|key| &**key).collect();
    let rows = tx.rows(tx.sql().parked_keys.query().bind(id).bind(names)).await?;
    rows.iter().map(|row| Ok(row.try_get::<&str, _>(0)?.into())).collect()
}

fn refused(key: &Arc<str>, recorded: &RecordedEvent, error: String, now: DateTime<Utc>) -> Parked {
    Parked {
        key: key.clone(),
        position: recorded.position,
        stream: recorded.stream.clone(),
        version: recorded.version,
        attempts: u32::from(!error.is_empty()),
        error,
        parked_at: now,
    }
}

/// The entry with one more attempt, when it was tried: one that merely follows it stays as it is.
fn counted(now: Parked, before: &[Parked]) -> Option<Parked> {
    let before = before.iter().find(|entry| entry.position == now.position)?;
    let attempts = before.attempts.saturating_add(now.attempts);
    let error = if now.error.is_empty() { before.error.clone() } else { now.error };
    Some(Parked { attempts, error, parked_at: before.parked_at, ..now })
}

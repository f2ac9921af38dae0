//! What the author of a SQL projection makes of events: rows, or refusals.

use super::{tables, transaction::Transaction};
use crate::{SQL_PAGE_WAIT_MAX, SqlProjection, SqlRefusal, Told, failure::is_refused};
use annals::{EventSet, Parked, Position, ProjectError, RecordedEvent, SubscriberError, error_text};
use chrono::{DateTime, Utc};
use sqlx::{Error, Row};
use std::{
    collections::{HashMap, HashSet},
    io,
    sync::Arc,
};

/// What becomes of events behind one that is refused, under its key.
pub(super) enum Behind {
    /// They are parked too, as are those under these keys, where something is parked already.
    Waits(HashSet<Arc<str>>),
    /// They go on.
    GoesOn,
}

/// The events of a page in today's shape.
pub(super) fn tell<P: SqlProjection>(
    events: &[RecordedEvent],
) -> Result<Vec<Told<'_, P::Event>>, SubscriberError> {
    let mut told = Vec::with_capacity(events.len());
    for recorded in events {
        P::Event::decode(recorded, &mut |event| told.push(Told { event, recorded }))?;
    }
    Ok(told)
}

/// Under what each recorded event is parked when it is refused: all that an upcast made of it under the key of the first.
pub(super) fn keys<P: SqlProjection>(
    projection: &P,
    told: &[Told<'_, P::Event>],
) -> HashMap<Position, Arc<str>> {
    let mut keys = HashMap::new();
    for Told { event, recorded } in told {
        keys.entry(recorded.position).or_insert_with(|| projection.key(event, recorded));
    }
    keys
}

/// Lets `projection` write `told` into the tables of generation `id`; what is to be parked, each under its key.
pub(super) async fn write_rows<P: SqlProjection>(
    tx: &mut Transaction<'_>,
    projection: &P,
    id: i64,
    told: Vec<Told<'_, P::Event>>,
    keys: &HashMap<Position, Arc<str>>,
    behind: Behind,
    now: DateTime<Utc>,
) -> Result<Vec<Parked>, Error> {
    let (waits, mut held) = match behind {
        Behind::Waits(keys) => (true, keys),
        Behind::GoesOn => (false, HashSet::new()),
    };
    let key_of = |told: &Told<'_, P::Event>| &keys[&told.recorded.position];
    let (follows, flows): (Vec<_>, Vec<_>) = told.into_iter().partition(|told| held.contains(key_of(told)));
    let mut park = vec![];
    tables::enter(tx, id).await?;
    if try_events(tx, projection, &flows).await?.is_some() {
        // What an upcast made of one recorded event counts as a whole or not at all.
        for several in flows.chunk_by(|a, b| a.recorded.position == b.recorded.position) {
            let key = key_of(&several[0]);
            let refusal = match held.contains(key) {
                true => Some(String::new()),
                false => try_events(tx, projection, several).await?,
            };
            if let Some(error) = refusal {
                park.push(refused(key, several[0].recorded, error, now));
                if waits {
                    held.insert(key.clone());
                }
            }
        }
    }
    for several in follows.chunk_by(|a, b| a.recorded.position == b.recorded.position) {
        park.push(refused(key_of(&several[0]), several[0].recorded, String::new(), now));
    }
    Ok(park)
}

/// Those of `keys` under which something is parked in generation `id`.
pub(super) async fn parked_keys(
    tx: &mut Transaction<'_>,
    id: i64,
    keys: impl Iterator<Item = &Arc<str>>,
) -> Result<HashSet<Arc<str>>, Error> {
    let names: HashSet<&str> = keys.map(|key| &**key).collect();
    let names = Vec::from_iter(names);
    let rows = tx.rows(tx.sql().parked_keys.query().bind(id).bind(names)).await?;
    rows.iter().map(|row| Ok(row.try_get::<&str, _>(0)?.into())).collect()
}

/// Counts what was parked, and says so.
pub(super) fn tell_parked<P: SqlProjection>(parked: &[Parked]) {
    if let Some(first) = parked.first() {
        metrics::counter!("annals_events_parked", "subscriber" => P::NAME).increment(parked.len() as u64);
        tracing::warn!(subscriber = P::NAME, parked = parked.len(), first = %first.error, "events are parked");
    }
}

/// Lets the projection write `told`; if it refuses, takes that back and says why.
async fn try_events<P: SqlProjection>(
    tx: &mut Transaction<'_>,
    projection: &P,
    told: &[Told<'_, P::Event>],
) -> Result<Option<String>, Error> {
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
        Err(SqlRefusal::Database(error)) if !is_refused(&error) => return Err(error),
        Err(SqlRefusal::Database(error)) => {
            error_text(&ProjectError::because("the database refuses what it writes", error))
        }
        Err(SqlRefusal::Refused(refusal)) => error_text(&refusal),
    };
    tx.say("ROLLBACK TO SAVEPOINT handling").await?;
    Ok(Some(refusal))
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

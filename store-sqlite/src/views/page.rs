//! Writing a page: documents, parked events and the checkpoint in one transaction.

use super::{
    generation::{Generation, now_us},
    halt::Halt,
};
use annals::{Change, CheckpointError, Json, PageWrite, Parked, Position, Step};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// Writes `page` and moves the checkpoint, if the step is made from where the checkpoint stands and under the newest
/// lease. Everything is checked before anything is written.
pub(super) fn commit(
    connection: &Connection,
    step: &Step,
    page: &PageWrite,
) -> Result<(), Halt<CheckpointError>> {
    let found = Generation::get(connection, &step.subscriber)?;
    found.check_lease(step.epoch)?;
    if step.from != found.checkpoint {
        let (subscriber, expected, actual) = (step.subscriber.clone(), step.from, found.checkpoint);
        return Err(Halt::Refused(CheckpointError::Moved { subscriber, expected, actual }));
    }
    change(connection, found.id, &page.changes)?;
    settle(connection, found.id, &page.settled)?;
    for parked in &page.park {
        park(connection, found.id, parked)?;
    }
    let mut move_to = connection.prepare_cached(include_str!("sql/checkpoint_move.sql"))?;
    move_to.execute(params![found.id, step.to.to_i64(), now_us()])?;
    Ok(())
}

fn change(
    connection: &Connection,
    generation: i64,
    changes: &[(Arc<str>, Change)],
) -> Result<(), rusqlite::Error> {
    let mut put = connection.prepare_cached(include_str!("sql/document_put.sql"))?;
    let mut delete = connection.prepare_cached(include_str!("sql/document_delete.sql"))?;
    // In key order each page of the index is visited once.
    let mut sorted: Vec<&(Arc<str>, Change)> = changes.iter().collect();
    sorted.sort_by(|(a, _), (b, _)| a.cmp(b));
    for (key, change) in sorted {
        match change {
            Change::Put(document) => put.execute(params![generation, &**key, Json::as_str(document)])?,
            Change::Delete => delete.execute(params![generation, &**key])?,
        };
    }
    Ok(())
}

fn settle(
    connection: &Connection,
    generation: i64,
    settled: &[(Arc<str>, Position)],
) -> Result<(), rusqlite::Error> {
    let mut settle = connection.prepare_cached(include_str!("sql/parked_settle.sql"))?;
    for (key, position) in settled {
        settle.execute(params![generation, &**key, position.to_i64()])?;
        answer(connection, generation, key)?;
    }
    Ok(())
}

/// Parks an event. One that is parked already was tried again, because somebody asked for it.
fn park(connection: &Connection, generation: i64, parked: &Parked) -> Result<(), rusqlite::Error> {
    let (key, position) = (&*parked.key, parked.position.to_i64());
    let mut at = connection.prepare_cached(include_str!("sql/parked_at.sql"))?;
    if at.query_row(params![generation, key, position], |row| row.get(0))? {
        answer(connection, generation, key)?;
    }
    let mut park = connection.prepare_cached(include_str!("sql/park.sql"))?;
    park.execute(params![
        generation,
        key,
        position,
        parked.stream.as_str(),
        parked.version.to_i64(),
        parked.error,
        parked.attempts,
        parked.parked_at.timestamp_micros(),
    ])?;
    Ok(())
}

fn answer(connection: &Connection, generation: i64, key: &str) -> Result<(), rusqlite::Error> {
    connection.prepare_cached(include_str!("sql/request_answer.sql"))?.execute(params![generation, key])?;
    Ok(())
}

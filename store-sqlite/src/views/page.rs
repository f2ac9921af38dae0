//! Writing a page: documents, parked events and the checkpoint in one transaction.

use super::{
    generation::{Generation, now_us},
    halt::Halt,
};
use annals::{
    Change, CheckpointError, GenerationState, Json, PageWrite, Parked, Position, Slot, Step, SubscriberId,
};
use rusqlite::{Connection, params};
use std::sync::Arc;

/// Writes `page` and moves the checkpoint, if the step is made from where the checkpoint stands and under the newest
/// lease. Everything is checked before anything is written.
pub(super) fn commit(
    connection: &Connection,
    step: &Step,
    page: &PageWrite,
) -> Result<(), Halt<CheckpointError>> {
    let found = check_step(connection, step)?;
    write(connection, found.id, page)?;
    Ok(move_to(connection, found.id, step.to)?)
}

/// Writes `page` into another generation than that of the step, if what was seen of it is still so. Writers take turns,
/// so nothing needs to be locked.
pub(super) fn commit_part(
    connection: &Connection,
    step: &Step,
    into: &SubscriberId,
    seen: &[(Arc<str>, Slot)],
    page: &PageWrite,
) -> Result<(), Halt<CheckpointError>> {
    let part = check_step(connection, step)?;
    let found = Generation::get(connection, into)?;
    let subscriber = into.clone();
    if found.state == GenerationState::Retired {
        return Err(Halt::Refused(CheckpointError::Retired { subscriber }));
    }
    if found.checkpoint != Position::START {
        let (expected, actual) = (Position::START, found.checkpoint);
        return Err(Halt::Refused(CheckpointError::Moved { subscriber, expected, actual }));
    }
    if let Some(key) = changed(connection, found.id, seen)? {
        return Err(Halt::Refused(CheckpointError::raced(into, key)));
    }
    write(connection, found.id, page)?;
    Ok(move_to(connection, part.id, step.to)?)
}

fn check_step(connection: &Connection, step: &Step) -> Result<Generation, Halt<CheckpointError>> {
    let found = Generation::get(connection, &step.subscriber)?;
    found.check_lease(step.epoch)?;
    if step.from != found.checkpoint {
        let (subscriber, expected, actual) = (step.subscriber.clone(), step.from, found.checkpoint);
        return Err(Halt::Refused(CheckpointError::Moved { subscriber, expected, actual }));
    }
    Ok(found)
}

/// The first document that is no more what was seen, or under whose key events were parked or settled since.
fn changed<'s>(
    connection: &Connection,
    generation: i64,
    seen: &'s [(Arc<str>, Slot)],
) -> Result<Option<&'s Arc<str>>, rusqlite::Error> {
    let mut same = connection.prepare_cached(include_str!("sql/document_same.sql"))?;
    for (key, slot) in seen {
        let document = slot.document.as_ref().map(Json::as_str);
        if !same.query_row(params![generation, &**key, document, slot.parked], |row| row.get::<_, bool>(0))? {
            return Ok(Some(key));
        }
    }
    Ok(None)
}

fn write(connection: &Connection, generation: i64, page: &PageWrite) -> Result<(), rusqlite::Error> {
    change(connection, generation, &page.changes)?;
    settle(connection, generation, &page.settled)?;
    page.park.iter().try_for_each(|parked| park(connection, generation, parked))
}

fn move_to(connection: &Connection, generation: i64, to: Position) -> Result<(), rusqlite::Error> {
    let mut move_to = connection.prepare_cached(include_str!("sql/checkpoint_move.sql"))?;
    move_to.execute(params![generation, to.to_i64(), now_us()]).map(|_| ())
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

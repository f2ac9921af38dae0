//! Parked events, and what somebody wants done about them.

use super::{
    generation::Generation,
    halt::{Halt, rows, time, unreadable},
};
use annals::{PageLimit, Parked, ParkedAction, ParkedRequest, Position, StoreError, SubscriberId, Version};
use rusqlite::{Connection, Row, params};
use std::sync::Arc;

/// A key and a position in it.
pub(super) type Place = (String, Position);

/// Parked events behind `after`, of one key or of all.
pub(super) fn list(
    connection: &Connection,
    of: &SubscriberId,
    key: Option<&str>,
    after: Option<Place>,
    limit: PageLimit,
) -> Result<Vec<Parked>, Halt<StoreError>> {
    let generation = Generation::get::<StoreError>(connection, of)?.id;
    let limit = rows(limit);
    // Before all: no key is less than the empty one, and no event has a negative position.
    let (after_key, after_position) = after.map_or((String::new(), -1), |(key, at)| (key, at.to_i64()));
    let read = |row: &Row<'_>| parked(row);
    match key {
        // The place lies behind this key, or before it: then all of the key follows.
        Some(key) if key < after_key.as_str() => Ok(Vec::new()),
        Some(key) => {
            let behind = if key == after_key { after_position } else { -1 };
            let mut page = connection.prepare_cached(include_str!("sql/parked_page_of_key.sql"))?;
            Ok(page.query_map(params![generation, key, behind, limit], read)?.collect::<Result<_, _>>()?)
        }
        None => {
            let mut page = connection.prepare_cached(include_str!("sql/parked_page.sql"))?;
            let found = page.query_map(params![generation, after_key, after_position, limit], read)?;
            Ok(found.collect::<Result<_, _>>()?)
        }
    }
}

/// Asks the lease holder for something; false when nothing is parked there.
pub(super) fn request(
    connection: &Connection,
    of: &SubscriberId,
    request: &ParkedRequest,
) -> Result<bool, Halt<StoreError>> {
    let generation = Generation::get::<StoreError>(connection, of)?.id;
    let mut under = connection.prepare_cached(include_str!("sql/parked_under.sql"))?;
    let found = under.query_row(params![generation, &*request.key], |row| row.get(0))?;
    if found {
        let mut ask = connection.prepare_cached(include_str!("sql/request.sql"))?;
        ask.execute(params![generation, &*request.key, action_text(request.action)])?;
    }
    Ok(found)
}

/// What the lease holder has been asked for.
pub(super) fn requests(
    connection: &Connection,
    of: &SubscriberId,
    limit: PageLimit,
) -> Result<Vec<ParkedRequest>, Halt<StoreError>> {
    let generation = Generation::get::<StoreError>(connection, of)?.id;
    let mut list = connection.prepare_cached(include_str!("sql/requests.sql"))?;
    let read = |row: &Row<'_>| {
        Ok(ParkedRequest { key: text(row, 0)?, action: action_of(row.get_ref(1)?.as_str()?)? })
    };
    Ok(list.query_map(params![generation, rows(limit)], read)?.collect::<Result<_, _>>()?)
}

fn parked(row: &Row<'_>) -> Result<Parked, rusqlite::Error> {
    Ok(Parked {
        key: text(row, 0)?,
        position: Position::from_i64(row.get(1)?),
        stream: row.get_ref(2)?.as_str()?.parse().map_err(unreadable)?,
        version: Version::from_i64(row.get(3)?),
        error: row.get(4)?,
        attempts: row.get(5)?,
        parked_at: time(row, 6)?,
    })
}

fn text(row: &Row<'_>, at: usize) -> Result<Arc<str>, rusqlite::Error> {
    Ok(row.get_ref(at)?.as_str()?.into())
}

fn action_text(action: ParkedAction) -> &'static str {
    match action {
        ParkedAction::Retry => "retry",
        ParkedAction::Discard => "discard",
    }
}

fn action_of(text: &str) -> Result<ParkedAction, rusqlite::Error> {
    match text {
        "retry" => Ok(ParkedAction::Retry),
        "discard" => Ok(ParkedAction::Discard),
        _ => Err(rusqlite::types::FromSqlError::Other(format!("there is no action {text:?}").into()).into()),
    }
}

//! Finding what arrived before.

use super::sql;
use annals::{AppendError, Commit, Committed, EventId, Position, StreamId, Version, Written};
use rusqlite::{Connection, OptionalExtension, Result, params};

/// A commit of which something is in the log already.
pub(super) enum Settled {
    /// It arrived before: its first result.
    Repeated(Committed),
    /// One of its ids belongs to another event.
    Taken(EventId),
}

impl Settled {
    /// The answer to its sender.
    pub(super) fn outcome(self) -> std::result::Result<Committed, AppendError> {
        match self {
            Self::Repeated(committed) => Ok(committed),
            Self::Taken(id) => Err(AppendError::DuplicateId { id }),
        }
    }
}

/// Looks up every id of `commit`.
pub(super) fn settle(connection: &Connection, commit: &Commit) -> Result<Option<Settled>> {
    if let Some((stream, first)) = commit.identity()
        && let Some(committed) = first_result(connection, stream, first)?
    {
        return Ok(Some(Settled::Repeated(committed)));
    }
    let mut taken = connection.prepare_cached(sql::EVENT_ID_TAKEN)?;
    for event in commit.writes().iter().flat_map(|write| &write.events) {
        if taken.exists([event.id.uuid().as_bytes()])? {
            return Ok(Some(Settled::Taken(event.id)));
        }
    }
    Ok(None)
}

/// The result of the commit that begins with `first` on `stream`.
pub(super) fn first_result(
    connection: &Connection,
    stream: &StreamId,
    first: EventId,
) -> Result<Option<Committed>> {
    let found = connection
        .prepare_cached(sql::FIRST_OF_COMMIT)?
        .query_row(params![first.uuid().as_bytes(), stream.as_str()], |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?))
        })
        .optional()?;
    let Some((position, size)) = found else { return Ok(None) };
    let last = position + size - 1;
    let mut statement = connection.prepare_cached(sql::COMMIT_ROWS)?;
    let mut rows = statement.query([position, last])?;
    let mut streams: Vec<Written> = vec![];
    while let Some(row) = rows.next()? {
        let (name, version) = (row.get_ref(0)?.as_str()?, Version::from_i64(row.get(1)?));
        match streams.last_mut().filter(|written| written.stream.as_str() == name) {
            Some(written) => written.last = version,
            None => streams.push(Written::new(super::row::stream_id(name)?, version, version)),
        }
    }
    Ok(Some(Committed::new(streams, Position::from_i64(last), true)))
}

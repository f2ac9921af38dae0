//! From a row to a recorded event.

use super::sql;
use annals::{
    EventData, EventId, EventType, Json, LogFilter, PlaceInCommit, Position, RecordedEvent, StreamId, Version,
};
use chrono::{DateTime, Utc};
use quick_cache::unsync::Cache;
use rusqlite::{Connection, Result, Row, types::Type};
use std::{collections::HashMap, sync::Arc};

/// How many names of streams one reader remembers.
const STREAMS_REMEMBERED_MAX: usize = 16_384;

/// How many event types one reader remembers; then it starts over.
const TYPES_REMEMBERED_MAX: usize = 10_000;

/// The only format of a payload there is so far: JSON.
const FORMAT_JSON: i64 = 0;

/// Reads rows; what many rows share is made once: names of streams and types, equal metadata.
pub(super) struct Rows {
    streams: Cache<i64, StreamId>,
    types: HashMap<i64, Arc<TypeOfEvent>>,
    metadata: Json,
}

/// What a number in the column `type` stands for.
pub(super) struct TypeOfEvent {
    category: Box<str>,
    name: EventType,
    schema_version: u32,
}

impl TypeOfEvent {
    /// Whether `filter` takes events of this type, of whatever tenant.
    pub(super) fn taken_by(&self, filter: &LogFilter) -> bool {
        filter.takes_type(&self.category, &self.name)
    }
}

impl Rows {
    pub(super) fn new() -> Self {
        Self { streams: Cache::new(STREAMS_REMEMBERED_MAX), types: HashMap::new(), metadata: Json::empty() }
    }

    /// The event in `row`; the columns are those of `read_log.sql` and its sisters.
    pub(super) fn event(
        &mut self,
        stream: StreamId,
        of: &TypeOfEvent,
        row: &Row<'_>,
    ) -> Result<RecordedEvent> {
        let format: i64 = row.get(7)?;
        if format != FORMAT_JSON {
            return Err(unreadable(7, format!("payload format {format}: a newer program wrote it")));
        }
        let metadata = row.get_ref(9)?.as_str()?;
        if self.metadata.as_str() != metadata {
            self.metadata = Json::stored(metadata);
        }
        let id = EventId::new(uuid::Uuid::from_bytes(row.get(8)?));
        let payload = Json::stored(row.get_ref(10)?.as_str()?);
        let data = EventData::raw(id, of.name.clone(), of.schema_version, payload)
            .with_metadata(self.metadata.clone());
        Ok(RecordedEvent::new(
            stream,
            Version::from_i64(row.get(2)?),
            Position::from_i64(row.get(0)?),
            PlaceInCommit { index: row.get(4)?, size: row.get(5)? },
            time(row.get(6)?),
            data,
        ))
    }

    /// The name of stream `id`.
    pub(super) fn stream(&mut self, connection: &Connection, id: i64) -> Result<StreamId> {
        if let Some(stream) = self.streams.get(&id) {
            return Ok(stream.clone());
        }
        let mut statement = connection.prepare_cached(sql::STREAM_NAME)?;
        let stream = statement.query_row([id], |row| stream_id(row.get_ref(0)?.as_str()?))?;
        self.streams.insert(id, stream.clone());
        Ok(stream)
    }

    /// What type `id` stands for. Types are never changed, so what is remembered stays true.
    pub(super) fn type_of(&mut self, connection: &Connection, id: i64) -> Result<Arc<TypeOfEvent>> {
        if let Some(found) = self.types.get(&id) {
            return Ok(found.clone());
        }
        if self.types.len() >= TYPES_REMEMBERED_MAX {
            self.types.clear();
        }
        let mut statement = connection.prepare_cached(sql::TYPE)?;
        let found = statement.query_row([id], |row| {
            let category = row.get_ref(0)?.as_str()?.into();
            let name = EventType::from(row.get_ref(1)?.as_str()?);
            Ok(Arc::new(TypeOfEvent { category, name, schema_version: row.get(2)? }))
        })?;
        self.types.insert(id, found.clone());
        Ok(found)
    }
}

/// A name that the log holds.
pub(super) fn stream_id(name: &str) -> Result<StreamId> {
    name.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// A time that the log holds, in microseconds.
pub(super) fn time(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

fn unreadable(column: usize, reason: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, reason.into())
}

//! From a row to a recorded event.

use super::sql;
use annals::{
    EventData, EventId, EventType, Json, LogFilter, PlaceInCommit, Position, RecordedEvent, StreamId, Version,
};
use chrono::{DateTime, Utc};
use quick_cache::unsync::Cache;
use rusqlite::{Connection, Result, Row, types::Type};

/// How many names of streams one reader remembers: below half a MB.
const STREAMS_REMEMBERED_MAX: usize = 2_048;

/// How many event types one reader remembers; beyond that they take each other's place.
const TYPES_REMEMBERED_MAX: usize = 10_000;

/// The only format of a payload there is so far: JSON.
const FORMAT_JSON: i64 = 0;

/// The names of streams that a reader remembers.
pub(super) struct Streams(Cache<i64, StreamId>);

/// The types of events that a reader remembers, by their number: small and without gaps.
#[derive(Default)]
pub(super) struct Types(Vec<Option<TypeOfEvent>>);

/// The metadata of the last row: the next one often has the same, and then shares it.
pub(super) struct LastMetadata(Json);

/// What a number in the column `type` stands for.
pub(super) struct TypeOfEvent {
    id: i64,
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

impl Streams {
    pub(super) fn new() -> Self {
        Self(Cache::new(STREAMS_REMEMBERED_MAX))
    }

    /// The name of stream `id`.
    pub(super) fn name(&mut self, connection: &Connection, id: i64) -> Result<StreamId> {
        if let Some(stream) = self.0.get(&id) {
            return Ok(stream.clone());
        }
        let mut statement = connection.prepare_cached(sql::STREAM_NAME)?;
        let stream = statement.query_row([id], |row| stream_id(row.get_ref(0)?.as_str()?))?;
        self.0.insert(id, stream.clone());
        Ok(stream)
    }
}

impl Types {
    /// What type `id` stands for. Types are never changed, so what is remembered stays true.
    pub(super) fn get(&mut self, connection: &Connection, id: i64) -> Result<&TypeOfEvent> {
        let place = usize::try_from(id).unwrap_or(usize::MAX) % TYPES_REMEMBERED_MAX;
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        let slot = &mut self.0[place];
        if slot.as_ref().is_none_or(|known| known.id != id) {
            *slot = Some(TypeOfEvent::read(connection, id)?);
        }
        Ok(slot.as_ref().expect("it was just read"))
    }
}

impl TypeOfEvent {
    fn read(connection: &Connection, id: i64) -> Result<Self> {
        let mut statement = connection.prepare_cached(sql::TYPE)?;
        statement.query_row([id], |row| {
            let category = row.get_ref(0)?.as_str()?.into();
            let name = EventType::from(row.get_ref(1)?.as_str()?);
            Ok(Self { id, category, name, schema_version: row.get(2)? })
        })
    }
}

impl LastMetadata {
    pub(super) fn new() -> Self {
        Self(Json::empty())
    }

    fn share(&mut self, text: &str) -> Json {
        if self.0.as_str() != text {
            self.0 = Json::stored(text);
        }
        self.0.clone()
    }
}

/// The event in `row`; the columns are those of `read_log.sql` and its sisters.
pub(super) fn event(
    stream: StreamId,
    of: &TypeOfEvent,
    last: &mut LastMetadata,
    row: &Row<'_>,
) -> Result<RecordedEvent> {
    let format: i64 = row.get(7)?;
    if format != FORMAT_JSON {
        return Err(unreadable(7, format!("payload format {format}: a newer program wrote it")));
    }
    let metadata = last.share(row.get_ref(9)?.as_str()?);
    let id = EventId::new(uuid::Uuid::from_bytes(row.get(8)?));
    let payload = Json::stored(row.get_ref(10)?.as_str()?);
    let data = EventData::raw(id, of.name.clone(), of.schema_version, payload).with_metadata(metadata);
    Ok(RecordedEvent::new(
        stream,
        Version::from_i64(row.get(2)?),
        Position::from_i64(row.get(0)?),
        PlaceInCommit { index: row.get(4)?, size: row.get(5)? },
        time(row.get(6)?),
        data,
    ))
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

//! From a row to a recorded event.

use super::sql;
use annals::{
    EventData, EventId, EventType, Json, LogFilter, PlaceInCommit, Position, RecordedEvent, StreamId, Version,
};
use chrono::{DateTime, Utc};
use quick_cache::unsync::Cache;
use rusqlite::{Connection, Result, Row, types::Type};
use std::{ops::Range, sync::Arc};

/// How many names of streams one reader remembers: below half a MB.
const STREAMS_REMEMBERED_MAX: usize = 2_048;

/// How many event types one reader remembers; beyond that they take each other's place.
const TYPES_REMEMBERED_MAX: usize = 10_000;

/// The only format of a payload there is so far: JSON.
const FORMAT_JSON: i64 = 0;

/// The names of streams that a reader remembers, each with the page that has it.
pub(super) struct Streams(Cache<i64, (u64, StreamId)>);

/// The types of events that a reader remembers, by their number: small and without gaps.
#[derive(Default)]
pub(super) struct Types(Vec<Option<TypeOfEvent>>);

/// Events as they are read: their texts lie in one piece of memory, which they share when the page is done.
///
/// A page shares nothing with another one. Its events are dropped by one thread while the next page is read by
/// another, and counting references to the same name, or giving back memory piece by piece, made both wait: reading
/// ahead was slower than not reading ahead.
pub(super) struct Page {
    number: u64,
    events: Vec<RecordedEvent>,
    texts: String,
    /// Of each event, where its payload and its metadata lie.
    places: Vec<(Range<usize>, Range<usize>)>,
    /// Until the page is done.
    nothing: Json,
}

/// What a number in the column `type` stands for.
pub(super) struct TypeOfEvent {
    id: i64,
    category: Box<str>,
    name: EventType,
    /// The page that has the name.
    page: u64,
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

    /// The name of stream `id`, for a page.
    pub(super) fn name(&mut self, connection: &Connection, id: i64, page: u64) -> Result<StreamId> {
        if let Some(mut known) = self.0.get_mut(&id) {
            let (of, stream) = &mut *known;
            if *of != page {
                (*of, *stream) = (page, stream.unshared());
            }
            return Ok(stream.clone());
        }
        let mut statement = connection.prepare_cached(sql::STREAM_NAME)?;
        let stream = statement.query_row([id], |row| stream_id(row.get_ref(0)?.as_str()?))?;
        self.0.insert(id, (page, stream.clone()));
        Ok(stream)
    }
}

impl Types {
    /// What type `id` stands for, for a page. Types are never changed, so what is remembered stays true.
    pub(super) fn get(&mut self, connection: &Connection, id: i64, page: u64) -> Result<&TypeOfEvent> {
        let place = usize::try_from(id).unwrap_or(usize::MAX) % TYPES_REMEMBERED_MAX;
        if place >= self.0.len() {
            self.0.resize_with(place + 1, || None);
        }
        let slot = &mut self.0[place];
        if slot.as_ref().is_none_or(|known| known.id != id) {
            *slot = Some(TypeOfEvent::read(connection, id)?);
        }
        let known = slot.as_mut().expect("it was just read");
        if known.page != page {
            (known.page, known.name) = (page, EventType::from(&*known.name));
        }
        Ok(known)
    }
}

impl TypeOfEvent {
    fn read(connection: &Connection, id: i64) -> Result<Self> {
        let mut statement = connection.prepare_cached(sql::TYPE)?;
        statement.query_row([id], |row| {
            let category = row.get_ref(0)?.as_str()?.into();
            let name = EventType::from(row.get_ref(1)?.as_str()?);
            Ok(Self { id, category, name, page: 0, schema_version: row.get(2)? })
        })
    }
}

impl Page {
    /// The page with this number; a reader never uses one twice.
    pub(super) fn new(number: u64) -> Self {
        let (events, texts, places) = (vec![], String::new(), vec![]);
        Self { number, events, texts, places, nothing: Json::stored("{}") }
    }

    pub(super) fn number(&self) -> u64 {
        self.number
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// How long the texts of its events are, in bytes; metadata that follows itself counts once.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len()
    }

    /// Adds the event in `row`; the columns are those of `read_log.sql` and its sisters. Answers its position.
    pub(super) fn add(&mut self, stream: StreamId, of: &TypeOfEvent, row: &Row<'_>) -> Result<Position> {
        let format: i64 = row.get(7)?;
        if format != FORMAT_JSON {
            return Err(unreadable(7, format!("payload format {format}: a newer program wrote it")));
        }
        let metadata = self.metadata(row.get_ref(9)?.as_str()?);
        let payload = self.text(row.get_ref(10)?.as_str()?);
        let id = EventId::new(uuid::Uuid::from_bytes(row.get(8)?));
        let data = EventData::raw(id, of.name.clone(), of.schema_version, self.nothing.clone())
            .with_metadata(self.nothing.clone());
        let position = Position::from_i64(row.get(0)?);
        self.events.push(RecordedEvent::new(
            stream,
            Version::from_i64(row.get(2)?),
            position,
            PlaceInCommit { index: row.get(4)?, size: row.get(5)? },
            time(6, row.get(6)?)?,
            data,
        ));
        self.places.push((payload, metadata));
        Ok(position)
    }

    /// The events, with their texts.
    pub(super) fn done(self) -> Vec<RecordedEvent> {
        let Self { mut events, texts, places, .. } = self;
        let texts: Arc<str> = texts.into();
        for (event, (payload, metadata)) in events.iter_mut().zip(places) {
            event.payload = Json::part(&texts, payload);
            event.metadata = Json::part(&texts, metadata);
        }
        events
    }

    /// The next event often has the metadata of the last one, and then shares it.
    fn metadata(&mut self, text: &str) -> Range<usize> {
        match self.places.last() {
            Some((_, last)) if &self.texts[last.clone()] == text => last.clone(),
            _ => self.text(text),
        }
    }

    fn text(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }
}

/// A name that the log holds.
pub(super) fn stream_id(name: &str) -> Result<StreamId> {
    name.parse().map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, Type::Text, Box::new(error)))
}

/// A time that the log holds in `column`, in microseconds.
pub(super) fn time(column: usize, micros: i64) -> Result<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
        .ok_or_else(|| unreadable(column, format!("{micros} microseconds are no time")))
}

fn unreadable(column: usize, reason: String) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(column, Type::Integer, reason.into())
}

//! From rows to recorded events.

use super::types::Types;
use crate::json_text::text;
use annals::{
    EventData, EventId, EventType, Json, PlaceInCommit, Position, RecordedEvent, StreamId, Version,
};
use sqlx::{Error, Row, postgres::PgRow};
use std::{collections::HashMap, ops::Range, sync::Arc};

/// The only format of a payload there is so far: JSON.
const FORMAT_JSON: i16 = 0;

/// Events as they are read: their texts lie in one piece of memory, which they share when the page is done.
///
/// A page shares nothing with another one: counting references to the same name made the thread that drops one page
/// and the thread that reads the next one wait for each other.
pub(super) struct Page {
    events: Vec<RecordedEvent>,
    texts: String,
    /// Of each event, where its payload and its metadata lie.
    places: Vec<(Range<usize>, Range<usize>)>,
    streams: HashMap<i64, StreamId>,
    types: HashMap<i32, (EventType, u32)>,
    /// Until the page is done.
    nothing: Json,
}

impl Page {
    pub(super) fn new() -> Self {
        let (events, texts, places) = (vec![], String::new(), vec![]);
        let (streams, types) = (HashMap::new(), HashMap::new());
        Self { events, texts, places, streams, types, nothing: Json::stored("{}") }
    }

    pub(super) fn len(&self) -> usize {
        self.events.len()
    }

    /// How long the texts of its events are, in bytes; metadata that follows itself counts once.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len()
    }

    pub(super) fn last(&self) -> Option<&RecordedEvent> {
        self.events.last()
    }

    /// Adds the event in a row of `read_log.sql`, which says the stream behind the other columns.
    pub(super) fn add_of_log(&mut self, types: &Types, row: &PgRow) -> Result<(), Error> {
        let id: i64 = row.try_get_unchecked(11)?;
        let stream = match self.streams.get(&id) {
            Some(stream) => stream.clone(),
            None => {
                let stream = stream_id(text(row, 10)?)?;
                self.streams.insert(id, stream.clone());
                stream
            }
        };
        self.add(stream, types, row)
    }

    /// Adds the event in a row of `read_forwards.sql` and its sisters. The types of its columns are those of the table,
    /// and are not asked for again in every row.
    pub(super) fn add(&mut self, stream: StreamId, types: &Types, row: &PgRow) -> Result<(), Error> {
        let format: i16 = row.try_get_unchecked(7)?;
        if format != FORMAT_JSON {
            return Err(unreadable(format!("payload format {format}: a newer program wrote it")));
        }
        let (name, schema_version) = self.event_type(types, row.try_get_unchecked(4)?)?;
        let metadata = self.metadata(text(row, 8)?);
        let payload = self.text(text(row, 9)?);
        let data = EventData::raw(
            EventId::new(row.try_get_unchecked(3)?),
            name,
            schema_version,
            self.nothing.clone(),
        )
        .with_metadata(self.nothing.clone());
        let (index, size): (i16, i16) = (row.try_get_unchecked(5)?, row.try_get_unchecked(6)?);
        self.events.push(RecordedEvent::new(
            stream,
            Version::from_i64(row.try_get_unchecked(1)?),
            Position::from_i64(row.try_get_unchecked(0)?),
            PlaceInCommit { index: index.unsigned_abs().into(), size: size.unsigned_abs().into() },
            row.try_get_unchecked(2)?,
            data,
        ));
        self.places.push((payload, metadata));
        Ok(())
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

    fn event_type(&mut self, types: &Types, id: i32) -> Result<(EventType, u32), Error> {
        if let Some(known) = self.types.get(&id) {
            return Ok(known.clone());
        }
        let of = types.get(id).ok_or_else(|| unreadable(format!("there is no event type {id}")))?;
        let own = (EventType::from(&*of.name), of.schema_version);
        self.types.insert(id, own.clone());
        Ok(own)
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
pub(super) fn stream_id(name: &str) -> Result<StreamId, Error> {
    name.parse().map_err(|error: annals::StreamIdError| Error::Decode(Box::new(error)))
}

fn unreadable(reason: String) -> Error {
    Error::Decode(reason.into())
}

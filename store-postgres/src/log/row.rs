//! From a row to a recorded event.

use super::types::Types;
use crate::json_text::text;
use annals::{EventData, EventId, Json, PlaceInCommit, Position, RecordedEvent, StreamId, Version};
use sqlx::{Error, Row, postgres::PgRow};

/// The only format of a payload there is so far: JSON.
const FORMAT_JSON: i16 = 0;

/// Reads rows; what many rows share is made once: equal metadata, and the stream when it is that of the row before.
pub(super) struct Rows<'t> {
    types: &'t Types,
    metadata: Json,
    stream: Option<StreamId>,
}

impl<'t> Rows<'t> {
    pub(super) fn new(types: &'t Types) -> Self {
        Self { types, metadata: Json::empty(), stream: None }
    }

    /// The event in a row of `read_log.sql`, which names the stream behind the other columns.
    pub(super) fn event_of_log(&mut self, row: &PgRow) -> Result<RecordedEvent, Error> {
        let name = text(row, 10)?;
        let stream = match &self.stream {
            Some(stream) if stream.as_str() == name => stream.clone(),
            _ => self.stream.insert(stream_id(name)?).clone(),
        };
        self.event(stream, row)
    }

    /// The event in a row of `read_forwards.sql` and its sisters.
    pub(super) fn event(&mut self, stream: StreamId, row: &PgRow) -> Result<RecordedEvent, Error> {
        let format: i16 = row.try_get(7)?;
        if format != FORMAT_JSON {
            return Err(unreadable(format!("payload format {format}: a newer program wrote it")));
        }
        let id: i32 = row.try_get(4)?;
        let of = self.types.get(id).ok_or_else(|| unreadable(format!("there is no event type {id}")))?;
        let metadata = text(row, 8)?;
        if self.metadata.as_str() != metadata {
            self.metadata = Json::stored(metadata);
        }
        let payload = Json::stored(text(row, 9)?);
        let data = EventData::raw(EventId::new(row.try_get(3)?), of.name.clone(), of.schema_version, payload)
            .with_metadata(self.metadata.clone());
        let (index, size): (i16, i16) = (row.try_get(5)?, row.try_get(6)?);
        Ok(RecordedEvent::new(
            stream,
            Version::from_i64(row.try_get(1)?),
            Position::from_i64(row.try_get(0)?),
            PlaceInCommit { index: index.unsigned_abs().into(), size: size.unsigned_abs().into() },
            row.try_get(2)?,
            data,
        ))
    }
}

/// A name that the log holds.
pub(super) fn stream_id(name: &str) -> Result<StreamId, Error> {
    name.parse().map_err(|error: annals::StreamIdError| Error::Decode(Box::new(error)))
}

fn unreadable(reason: String) -> Error {
    Error::Decode(reason.into())
}

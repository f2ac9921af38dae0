//! From rows to recorded events.

use super::types::Types;
use crate::json_text::{bytes, text};
use annals::{
    EventData, EventId, EventType, Json, PlaceInCommit, Position, RecordedEvent, StreamId, Version,
};
use chrono::{DateTime, Utc};
use sqlx::{Error, Row, postgres::PgRow};
use std::{
    collections::{HashMap, hash_map::Entry},
    ops::Range,
    sync::Arc,
};
use uuid::Uuid;

/// The only format of a payload there is so far: JSON.
const FORMAT_JSON: i16 = 0;

/// The columns of `read_log.sql` that say the number of the stream and where the log ends, and the one that
/// `read_log_named.sql` has besides.
const STREAM: usize = 10;
pub(super) const HEAD: usize = 11;
const NAME: usize = 12;

/// Microseconds from 1970 to 2000, where PostgreSQL begins to count.
const EPOCH_US: i64 = 946_684_800_000_000;

/// Rows as they come, on their way to events. Their texts lie in one piece of memory, which the events share.
///
/// A page shares nothing with another one: counting references to the same name made the thread that drops one page
/// and the thread that reads the next one wait for each other.
#[derive(Default)]
pub(super) struct Page {
    rows: Vec<Raw>,
    texts: String,
    /// Of a page of the log, the names of its streams, as far as they are known.
    streams: HashMap<i64, Option<StreamId>>,
}

/// What a row says besides its texts.
struct Raw {
    position: Position,
    version: Version,
    recorded_us: i64,
    id: Uuid,
    event_type: i32,
    commit: PlaceInCommit,
    /// Of a page of the log.
    stream: i64,
    /// Where its payload and its metadata lie.
    payload: Range<usize>,
    metadata: Range<usize>,
}

impl Page {
    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// How long the texts of its events are, in bytes; metadata that follows itself counts once.
    pub(super) fn bytes(&self) -> usize {
        self.texts.len()
    }

    /// Place in the log and in the stream of the last event.
    pub(super) fn last(&self) -> Option<(Position, Version)> {
        self.rows.last().map(|row| (row.position, row.version))
    }

    /// Adds the event in a row of `read_log.sql` or `read_log_named.sql`.
    pub(super) fn add_of_log(&mut self, row: &PgRow) -> Result<(), Error> {
        let stream = i64::from_be_bytes(fixed(row, STREAM)?);
        if let Entry::Vacant(unknown) = self.streams.entry(stream) {
            let named = row.len() > NAME;
            unknown.insert(if named { Some(stream_id(text(row, NAME)?)?) } else { None });
        }
        self.push(stream, row)
    }

    /// The numbers of the streams whose names are not known.
    pub(super) fn nameless(&self) -> Vec<i64> {
        self.streams.iter().filter(|(_, name)| name.is_none()).map(|(id, _)| *id).collect()
    }

    /// What a row of `names.sql` says.
    pub(super) fn name(&mut self, row: &PgRow) -> Result<(), Error> {
        let stream = i64::from_be_bytes(fixed(row, 0)?);
        self.streams.insert(stream, Some(stream_id(text(row, 1)?)?));
        Ok(())
    }

    /// Adds the event in a row of `read_forwards.sql` and its sisters.
    pub(super) fn add(&mut self, row: &PgRow) -> Result<(), Error> {
        self.push(0, row)
    }

    /// The types of the columns are those of the tables, and are not asked for again in every row.
    fn push(&mut self, stream: i64, row: &PgRow) -> Result<(), Error> {
        let format = i16::from_be_bytes(fixed(row, 7)?);
        if format != FORMAT_JSON {
            return Err(unreadable(format!("payload format {format}: a newer program wrote it")));
        }
        let small = |at| fixed(row, at).map(|bytes| i16::from_be_bytes(bytes).unsigned_abs().into());
        let metadata = self.metadata(text(row, 8)?);
        let payload = self.text(text(row, 9)?);
        self.rows.push(Raw {
            position: Position::from_i64(i64::from_be_bytes(fixed(row, 0)?)),
            version: Version::from_i64(i64::from_be_bytes(fixed(row, 1)?)),
            recorded_us: i64::from_be_bytes(fixed(row, 2)?),
            id: Uuid::from_bytes(fixed(row, 3)?),
            event_type: i32::from_be_bytes(fixed(row, 4)?),
            commit: PlaceInCommit { index: small(5)?, size: small(6)? },
            stream,
            payload,
            metadata,
        });
        Ok(())
    }

    /// Whether `types` knows all its events.
    pub(super) fn is_known(&self, types: &Types) -> bool {
        let mut last = None;
        self.rows.iter().all(|row| {
            last == Some(row.event_type) || {
                last = Some(row.event_type);
                types.get(row.event_type).is_some()
            }
        })
    }

    /// The events of a page of the log.
    pub(super) fn of_log(self, types: &Types) -> Result<Vec<RecordedEvent>, Error> {
        self.done(types, None)
    }

    /// The events, all of `stream`.
    pub(super) fn of_stream(self, stream: &StreamId, types: &Types) -> Result<Vec<RecordedEvent>, Error> {
        self.done(types, Some(stream))
    }

    fn done(self, types: &Types, stream: Option<&StreamId>) -> Result<Vec<RecordedEvent>, Error> {
        let Self { rows, texts, streams } = self;
        let (texts, mut own) = (Arc::<str>::from(texts), HashMap::new());
        let mut time = (i64::MIN, DateTime::UNIX_EPOCH);
        let event = |row: Raw| {
            // The events of a batch have one time.
            if time.0 != row.recorded_us {
                time = (row.recorded_us, self::time(row.recorded_us)?);
            }
            let (name, schema_version) = event_type(&mut own, types, row.event_type)?;
            let stream = stream.or_else(|| streams.get(&row.stream).and_then(Option::as_ref));
            let stream = stream.ok_or_else(|| unreadable(format!("there is no stream {}", row.stream)))?;
            let payload = Json::part(&texts, row.payload);
            let data = EventData::raw(EventId::new(row.id), name, schema_version, payload)
                .with_metadata(Json::part(&texts, row.metadata));
            Ok(RecordedEvent::new(stream.clone(), row.version, row.position, row.commit, time.1, data))
        };
        rows.into_iter().map(event).collect()
    }

    /// The next event often has the metadata of the last one, and then shares it.
    fn metadata(&mut self, text: &str) -> Range<usize> {
        match self.rows.last() {
            Some(last) if &self.texts[last.metadata.clone()] == text => last.metadata.clone(),
            _ => self.text(text),
        }
    }

    fn text(&mut self, text: &str) -> Range<usize> {
        let start = self.texts.len();
        self.texts.push_str(text);
        start..self.texts.len()
    }
}

/// What type `id` stands for, under a name that `own` keeps for the page.
fn event_type(
    own: &mut HashMap<i32, (EventType, u32)>,
    types: &Types,
    id: i32,
) -> Result<(EventType, u32), Error> {
    if let Some(known) = own.get(&id) {
        return Ok(known.clone());
    }
    let of = types.get(id).ok_or_else(|| unreadable(format!("there is no event type {id}")))?;
    let known = (EventType::from(&*of.name), of.schema_version);
    own.insert(id, known.clone());
    Ok(known)
}

/// The column `at` of `row`, of a type that is always as long.
fn fixed<const N: usize>(row: &PgRow, at: usize) -> Result<[u8; N], Error> {
    let bytes = bytes(row, at)?;
    bytes.try_into().map_err(|_| unreadable(format!("column {at} has {} bytes instead of {N}", bytes.len())))
}

fn time(us_since_2000: i64) -> Result<DateTime<Utc>, Error> {
    let time = us_since_2000.checked_add(EPOCH_US).and_then(DateTime::from_timestamp_micros);
    time.ok_or_else(|| unreadable(format!("there is no time {us_since_2000} us behind the year 2000")))
}

/// A name that the log holds.
pub(super) fn stream_id(name: &str) -> Result<StreamId, Error> {
    name.parse().map_err(|error: annals::StreamIdError| Error::Decode(Box::new(error)))
}

fn unreadable(reason: String) -> Error {
    Error::Decode(reason.into())
}

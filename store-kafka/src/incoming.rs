//! A record as a recorded event, for whoever consumes a topic.

use crate::headers;
use annals::{EventData, EventId, Json, PlaceInCommit, Position, RecordedEvent, StreamId, Version};
use chrono::{DateTime, Utc};
use rdkafka::message::{Headers, Message};
use std::collections::BTreeMap;
use uuid::Uuid;

/// A record of a topic, as what it was in the log.
///
/// Of the metadata there is what headers carry: correlation id, causation id, traceparent. An event that has no
/// correlation id in its log has the id of its command for one here. Its commit is not known: the
/// event stands as if it were alone in one.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Incoming {
    /// The event.
    pub event: RecordedEvent,
    /// The position of the record before it in its partition; 0 for the first one.
    pub previous: Position,
    /// Set where the publisher left the value out, because it was larger than the topic takes: how many bytes it has.
    pub omitted: Option<u64>,
}

/// A record that no publisher of ours wrote, or that was changed on its way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{topic} {partition} at offset {offset}: {problem}")]
#[non_exhaustive]
pub struct RecordError {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
    /// What is wrong with it.
    pub problem: RecordProblem,
}

/// What is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RecordProblem {
    /// A header is missing.
    #[error("it has no header {0}")]
    Missing(&'static str),
    /// A header cannot be read.
    #[error("its header {0} cannot be read")]
    Unreadable(&'static str),
    /// The value is missing, or is no JSON.
    #[error("its value is no JSON")]
    Value,
}

impl Incoming {
    /// Reads a record.
    ///
    /// # Errors
    /// When it is no event that a publisher of ours wrote.
    pub fn read(record: &impl Message) -> Result<Self, RecordError> {
        Self::parts(record).map_err(|problem| RecordError {
            topic: record.topic().into(),
            partition: record.partition(),
            offset: record.offset(),
            problem,
        })
    }

    fn parts(record: &impl Message) -> Result<Self, RecordProblem> {
        let found = Found::of(record);
        let stream: StreamId = found.parsed(headers::STREAM)?;
        let id = EventId::new(found.parsed::<Uuid>(headers::EVENT_ID)?);
        let omitted = match found.text(headers::PAYLOAD_OMITTED) {
            Ok(_) => Some(found.parsed::<u64>(headers::PAYLOAD_OMITTED)?),
            Err(_) => None,
        };
        let value = match (record.payload(), omitted) {
            (Some(value), None) => {
                let value = std::str::from_utf8(value).map_err(|_| RecordProblem::Value)?;
                Json::parse(value).map_err(|_| RecordProblem::Value)?
            }
            (_, Some(_)) => Json::empty(),
            (None, None) => return Err(RecordProblem::Value),
        };
        let mut data = EventData::raw(
            id,
            found.text(headers::EVENT_TYPE)?,
            found.parsed(headers::SCHEMA_VERSION)?,
            value,
        );
        data.metadata = found.metadata();
        let event = RecordedEvent::new(
            stream,
            Version::new(found.parsed(headers::STREAM_VERSION)?),
            Position::new(found.parsed(headers::POSITION)?),
            PlaceInCommit { index: 0, size: 1 },
            found.parsed::<DateTime<Utc>>(headers::RECORDED_AT)?,
            data,
        );
        Ok(Self { event, previous: Position::new(found.parsed(headers::PREVIOUS_POSITION)?), omitted })
    }
}

/// The headers of a record; of several with one name the last counts.
struct Found<'a>(BTreeMap<&'a str, &'a [u8]>);

impl<'a> Found<'a> {
    fn of(record: &'a impl Message) -> Self {
        let headers = record.headers().into_iter().flat_map(Headers::iter);
        Self(headers.filter_map(|header| Some((header.key, header.value?))).collect())
    }

    fn text(&self, name: &'static str) -> Result<&'a str, RecordProblem> {
        let value = self.0.get(name).ok_or(RecordProblem::Missing(name))?;
        std::str::from_utf8(value).map_err(|_| RecordProblem::Unreadable(name))
    }

    fn parsed<T: std::str::FromStr>(&self, name: &'static str) -> Result<T, RecordProblem> {
        self.text(name)?.parse().map_err(|_| RecordProblem::Unreadable(name))
    }

    fn metadata(&self) -> Json {
        let known = [
            ("correlation_id", headers::CORRELATION_ID),
            ("causation_id", headers::CAUSATION_ID),
            ("traceparent", headers::TRACEPARENT),
        ];
        let found: BTreeMap<&str, &str> =
            known.iter().filter_map(|(name, header)| Some((*name, self.text(header).ok()?))).collect();
        match found.is_empty() {
            true => Json::empty(),
            false => Json::of(&found).unwrap_or_else(|_| Json::empty()),
        }
    }
}

//! An event as the commands print it.

use crate::text::{plain, raw};
use annals::{EventId, Position, RecordedEvent, StreamId, Version};
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;
use std::fmt;

/// An event as the commands print it: JSON with these keys, or a line of text.
#[derive(Debug, Serialize)]
pub(crate) struct EventShown {
    position: Position,
    #[serde(serialize_with = "as_text")]
    stream: StreamId,
    version: Version,
    r#type: String,
    schema_version: u32,
    id: EventId,
    recorded_at: DateTime<Utc>,
    payload: Box<RawValue>,
    metadata: Box<RawValue>,
}

impl From<&RecordedEvent> for EventShown {
    fn from(event: &RecordedEvent) -> Self {
        Self {
            position: event.position,
            stream: event.stream.clone(),
            version: event.version,
            r#type: event.event_type.to_string(),
            schema_version: event.schema_version,
            id: event.id,
            recorded_at: event.recorded_at,
            payload: raw(&event.payload),
            metadata: raw(&event.metadata),
        }
    }
}

impl fmt::Display for EventShown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { position, stream, version, r#type, payload, .. } = self;
        let at = self.recorded_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let (stream, r#type, payload) = (plain(stream.as_str()), plain(r#type), plain(payload.get()));
        write!(f, "{position:>8}  {at}  {stream} {version}  {type}  {payload}")
    }
}

/// For what has a text and no serde.
pub(crate) fn as_text<S: Serializer>(value: &impl fmt::Display, to: S) -> Result<S::Ok, S::Error> {
    to.collect_str(value)
}

//! Events on their way into the log, and as the log holds them.

use crate::{
    DomainEvent, EventId, Json, Metadata, Position, StreamId, Version,
    codec::{self, CodecError},
    recorded::decode_parts,
    upcast,
};
use chrono::{DateTime, Utc};
use std::{fmt, ops::Deref, sync::Arc};

/// An event on its way into the log.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct EventData {
    /// Its id; the log keeps each once.
    pub id: EventId,
    /// Its type, unique within the category of its stream.
    pub event_type: EventType,
    /// The schema version of the payload, counted from 1.
    pub schema_version: u32,
    /// What happened.
    pub payload: Json,
    /// What is known besides: a [`Metadata`] as JSON.
    pub metadata: Json,
}

impl EventData {
    /// Encodes a domain event.
    ///
    /// # Errors
    /// When it is no enum of serde's plain form, or what would be stored cannot be read back: JSON has no number for
    /// `NaN` and the infinities, and `null` in their place.
    pub fn of<E: DomainEvent>(id: EventId, event: &E, metadata: Json) -> Result<Self, CodecError> {
        let (name, payload) = codec::encode(event)?;
        let schema_version = upcast::current_version(E::UPCASTS, name);
        if payload.as_str().contains("null") {
            let read = decode_parts(name, schema_version, payload.as_str(), &mut |_: E| {});
            read.map_err(|problem| CodecError::unreadable(&problem))?;
        }
        Ok(Self { id, event_type: EventType::fixed(name), schema_version, payload, metadata })
    }

    /// An event whose payload is already JSON, with empty metadata: for tools that copy logs, and for tests.
    pub fn raw(id: EventId, event_type: impl Into<EventType>, schema_version: u32, payload: Json) -> Self {
        Self { id, event_type: event_type.into(), schema_version, payload, metadata: Json::empty() }
    }

    /// The same event with this metadata.
    #[must_use]
    pub fn with_metadata(self, metadata: Json) -> Self {
        Self { metadata, ..self }
    }
}

/// An event as the log holds it. Cloning counts references and copies no text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct RecordedEvent {
    /// The stream it belongs to.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Its place in the log.
    pub position: Position,
    /// Its place in the commit that brought it, and the size of that commit.
    pub commit: PlaceInCommit,
    /// Its id.
    pub id: EventId,
    /// Its type.
    pub event_type: EventType,
    /// The schema version of the payload.
    pub schema_version: u32,
    /// What happened, byte for byte as it was appended.
    pub payload: Json,
    /// What is known besides, byte for byte as it was appended.
    pub metadata: Json,
    /// When it was committed, in microseconds; never decreases along the log.
    pub recorded_at: DateTime<Utc>,
}

/// A commit's rows are contiguous in the log; each knows its place among them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PlaceInCommit {
    /// From 0.
    pub index: u32,
    /// At least 1.
    pub size: u32,
}

impl RecordedEvent {
    /// What a store makes of `data` when it records it.
    pub fn new(
        stream: StreamId,
        version: Version,
        position: Position,
        commit: PlaceInCommit,
        recorded_at: DateTime<Utc>,
        data: EventData,
    ) -> Self {
        let EventData { id, event_type, schema_version, payload, metadata } = data;
        Self {
            stream,
            version,
            position,
            commit,
            id,
            event_type,
            schema_version,
            payload,
            metadata,
            recorded_at,
        }
    }

    /// The key of its stream: which aggregate it happened to.
    pub fn key(&self) -> &str {
        self.stream.key()
    }

    /// Its metadata; the default where somebody stored other JSON there.
    pub fn metadata(&self) -> Metadata {
        self.metadata.read().unwrap_or_default()
    }
}

/// The name of an event type. Neither writing nor reading allocates one per event: serde hands out the name it
/// writes as `&'static`, and a store shares the one it reads.
#[derive(Clone)]
pub struct EventType(Name);

#[derive(Clone)]
enum Name {
    Fixed(&'static str),
    Shared(Arc<str>),
}

/// The longest name of an event type, in bytes.
pub const EVENT_TYPE_BYTES_MAX: usize = 255;

impl EventType {
    /// A name known to the program.
    pub const fn fixed(name: &'static str) -> Self {
        Self(Name::Fixed(name))
    }
}

impl Deref for EventType {
    type Target = str;

    fn deref(&self) -> &str {
        match &self.0 {
            Name::Fixed(name) => name,
            Name::Shared(name) => name,
        }
    }
}

impl From<&str> for EventType {
    fn from(name: &str) -> Self {
        Self(Name::Shared(name.into()))
    }
}

impl From<Arc<str>> for EventType {
    fn from(name: Arc<str>) -> Self {
        Self(Name::Shared(name))
    }
}

impl PartialEq for EventType {
    fn eq(&self, other: &Self) -> bool {
        **self == **other
    }
}

impl Eq for EventType {}

impl PartialEq<str> for EventType {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl fmt::Display for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

impl fmt::Debug for EventType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self)
    }
}

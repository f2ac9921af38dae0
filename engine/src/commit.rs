//! One atomic append, its limits and its answer.

use crate::{EVENT_TYPE_BYTES_MAX, EventData, EventId, Position, StoreError, StreamId, Version};
use std::collections::HashSet;

/// The most events that one commit may hold.
pub const COMMIT_EVENTS_MAX: usize = 1_000;

/// The most bytes of payloads and metadata that one commit may hold: 4 MiB.
pub const COMMIT_BYTES_MAX: usize = 4 << 20;

/// The largest payload of one event, in bytes: 1 MiB.
pub const PAYLOAD_BYTES_MAX: usize = 1 << 20;

/// The largest metadata of one event, in bytes: 64 KiB.
pub const METADATA_BYTES_MAX: usize = 64 << 10;

/// Which version a stream must be at for an append to go through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Expected {
    /// Whatever it is at.
    Any,
    /// Exactly this one; [`Version::EMPTY`] says that the stream must be new.
    Exactly(Version),
}

impl Expected {
    /// The stream must be new.
    pub const NEW: Self = Self::Exactly(Version::EMPTY);

    /// Whether a stream at `actual` is as expected.
    pub fn holds(self, actual: Version) -> bool {
        self == Self::Any || self == Self::Exactly(actual)
    }
}

impl std::fmt::Display for Expected {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Any => f.write_str("any version"),
            Self::Exactly(version) => version.fmt(f),
        }
    }
}

/// One atomic append to one or more streams.
///
/// ```
/// # use annals::{Commit, EventData, EventId, Expected, Json};
/// # let (placed, reserved) = ("order-1".parse()?, "stock-hat".parse()?);
/// # let event = || EventData::raw(EventId::random(), "Counted", 1, Json::empty());
/// let commit = Commit::to(placed, Expected::NEW, [event()]).and(reserved, Expected::Any, [event(), event()]);
/// assert_eq!(commit.events(), 3);
/// # Ok::<(), annals::StreamIdError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Commit {
    writes: Vec<Write>,
}

/// The part of a commit that goes to one stream.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Write {
    /// The stream.
    pub stream: StreamId,
    /// The version it must be at.
    pub expected: Expected,
    /// What is appended, in order; at least one event.
    pub events: Vec<EventData>,
}

impl Commit {
    /// Appends `events` to `stream`, if it is as `expected`.
    pub fn to(stream: StreamId, expected: Expected, events: impl IntoIterator<Item = EventData>) -> Self {
        Self { writes: Vec::with_capacity(1) }.and(stream, expected, events)
    }

    /// Appends to another stream in the same commit.
    #[must_use]
    pub fn and(
        mut self,
        stream: StreamId,
        expected: Expected,
        events: impl IntoIterator<Item = EventData>,
    ) -> Self {
        self.writes.push(Write { stream, expected, events: events.into_iter().collect() });
        self
    }

    /// Its parts, one a stream.
    pub fn writes(&self) -> &[Write] {
        &self.writes
    }

    /// Its parts, one a stream.
    pub fn into_writes(self) -> Vec<Write> {
        self.writes
    }

    /// By which stream and event a repeat of this commit is recognised; `None` when it holds no event.
    pub fn identity(&self) -> Option<(&StreamId, EventId)> {
        let first = self.writes.first()?;
        Some((&first.stream, first.events.first()?.id))
    }

    /// How many events it holds.
    pub fn events(&self) -> usize {
        self.writes.iter().map(|write| write.events.len()).sum()
    }

    /// How many bytes its payloads and metadata hold.
    pub fn bytes(&self) -> usize {
        self.writes
            .iter()
            .flat_map(|write| &write.events)
            .map(|e| e.payload.bytes() + e.metadata.bytes())
            .sum()
    }

    /// What every store asks before anything else, so that shape and limits are the same everywhere.
    ///
    /// # Errors
    /// `Malformed`, `TooLarge`, or `DuplicateId` when one id stands twice within the commit.
    pub fn check(&self) -> Result<(), AppendError> {
        let (mut streams, mut ids) = (HashSet::new(), HashSet::new());
        let (events, several_streams) = (self.events(), self.writes.len() > 1);
        for write in &self.writes {
            let malformed = |reason| Err(AppendError::Malformed { stream: write.stream.clone(), reason });
            if write.events.is_empty() {
                return malformed("it names the stream but holds no event for it");
            }
            if several_streams && !streams.insert(&write.stream) {
                return malformed("it names the stream twice");
            }
            for event in &write.events {
                match event.event_type.len() {
                    0 => return malformed("an event type is empty"),
                    1..=EVENT_TYPE_BYTES_MAX => {}
                    _ => return malformed("an event type is longer than 255 bytes"),
                }
                if event.event_type.contains('\0') {
                    return malformed("an event type holds a NUL");
                }
                if event.schema_version == 0 || event.schema_version > i32::MAX as u32 {
                    return malformed("a schema version lies outside 1 to 2147483647");
                }
                within("payload bytes", event.payload.bytes(), PAYLOAD_BYTES_MAX)?;
                within("metadata bytes", event.metadata.bytes(), METADATA_BYTES_MAX)?;
                if events > 1 && !ids.insert(event.id) {
                    return Err(AppendError::DuplicateId { id: event.id });
                }
            }
        }
        within("events", events, COMMIT_EVENTS_MAX)?;
        within("bytes in a commit", self.bytes(), COMMIT_BYTES_MAX)
    }
}

fn within(what: &'static str, is: usize, max: usize) -> Result<(), AppendError> {
    if is > max { Err(AppendError::TooLarge { what, is, max }) } else { Ok(()) }
}

/// What became of a commit.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Committed {
    /// What was written to each stream, in the order of the commit.
    pub streams: Vec<Written>,
    /// Of the last event.
    pub position: Position,
    /// The commit had arrived before; this is its first result, and nothing was written now.
    pub repeated: bool,
}

/// The versions that a commit gave to the events of one stream.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Written {
    /// The stream.
    pub stream: StreamId,
    /// Version of the first event written.
    pub first: Version,
    /// Version of the last event written.
    pub last: Version,
}

impl Committed {
    /// An answer, made by a store.
    pub fn new(streams: Vec<Written>, position: Position, repeated: bool) -> Self {
        Self { streams, position, repeated }
    }

    /// What was written to `stream`.
    pub fn written_to(&self, stream: &StreamId) -> Option<&Written> {
        self.streams.iter().find(|written| written.stream == *stream)
    }
}

impl Written {
    /// A part of an answer, made by a store.
    pub fn new(stream: StreamId, first: Version, last: Version) -> Self {
        Self { stream, first, last }
    }
}

/// Why a commit left nothing in the log.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppendError {
    /// Somebody else was faster: read the stream again and decide again.
    #[error("{stream} is at version {actual}, not at {expected}")]
    Conflict {
        /// The first stream of the commit that is not as expected.
        stream: StreamId,
        /// What the commit expected.
        expected: Expected,
        /// What the stream is at.
        actual: Version,
    },
    /// An id is in the log already, and not as the first of this commit: the sender reuses ids.
    #[error("event {id} is already stored and does not begin this commit")]
    DuplicateId {
        /// The id.
        id: EventId,
    },
    /// A limit is exceeded.
    #[error("{is} {what}, at most {max} are allowed")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        is: usize,
        /// How much may be.
        max: usize,
    },
    /// The commit is no commit.
    #[error("the commit to {stream} cannot be: {reason}")]
    Malformed {
        /// Where.
        stream: StreamId,
        /// Why.
        reason: &'static str,
    },
    /// This store cannot do what the commit asks for.
    #[error("this store cannot append {what}")]
    Unsupported {
        /// What it cannot do.
        what: &'static str,
    },
    /// The store failed. When the failure is transient the append may have arrived: send the same commit again.
    #[error(transparent)]
    Store(#[from] StoreError),
}

#[cfg(test)]
mod tests;

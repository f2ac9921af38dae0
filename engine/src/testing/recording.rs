//! Events as a store would hand them back: every test of a domain goes through the codec with them.

use crate::{
    DomainEvent, EventData, EventId, Json, PlaceInCommit, Position, RecordedEvent, StreamId, Version,
    decode_recorded,
};
use chrono::{DateTime, Utc};
use std::{collections::HashMap, fmt::Debug};

/// Numbers events as the log does, without keeping them.
#[derive(Debug)]
pub(super) struct Recording {
    head: Position,
    versions: HashMap<StreamId, Version>,
    now: DateTime<Utc>,
}

impl Recording {
    /// An empty log, at the beginning of 2026.
    pub(super) fn new() -> Self {
        let now = DateTime::from_timestamp(1_767_225_600, 0).expect("a time in range");
        Self { head: Position::START, versions: HashMap::new(), now }
    }

    /// What is recorded from here on is recorded at `now`.
    pub(super) fn set_time(&mut self, now: DateTime<Utc>) {
        self.now = now;
    }

    /// Encodes `event` as it would be stored next in `stream`.
    #[track_caller]
    pub(super) fn record<E: DomainEvent>(&mut self, stream: &StreamId, event: &E) -> RecordedEvent {
        let data = match EventData::of(EventId::random(), event, Json::empty()) {
            Ok(data) => data,
            Err(error) => panic!("{error}"),
        };
        let version = self.versions.entry(stream.clone()).or_default();
        *version = version.plus(1);
        self.head = self.head.plus(1);
        let alone = PlaceInCommit { index: 0, size: 1 };
        RecordedEvent::new(stream.clone(), *version, self.head, alone, self.now, data)
    }
}

/// The stream called `name`, which must hold events of `E`.
#[track_caller]
pub(super) fn stream_of<E: DomainEvent>(name: &str) -> StreamId {
    let stream: StreamId = match name.parse() {
        Ok(stream) => stream,
        Err(error) => panic!("{error}"),
    };
    let (is, must) = (stream.category(), E::CATEGORY);
    assert!(is == must, "{stream} has category {is}, but these events live in {must}");
    stream
}

/// `event` after it was stored and read: the same, or the test has found a mistake in how it is written.
#[track_caller]
pub(super) fn through_the_codec<E: DomainEvent + PartialEq + Debug>(event: &E) -> E {
    let stream = stream_of::<E>(&format!("{}-given", E::CATEGORY));
    let recorded = Recording::new().record(&stream, event);
    let mut read = Vec::with_capacity(1);
    if let Err(error) = decode_recorded(&recorded, &mut |event| read.push(event)) {
        panic!("the event cannot be read as it is written: {error}\n  payload: {}", recorded.payload);
    }
    match read.pop() {
        Some(same) if read.is_empty() && same == *event => same,
        other => panic!(
            "the event reads as another than was written\n  written: {event:#?}\n  read:    {other:#?}\n  payload: {}",
            recorded.payload
        ),
    }
}

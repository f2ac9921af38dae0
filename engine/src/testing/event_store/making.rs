//! Events and commits to write.

use crate::{
    AppendError, Commit, Committed, EventData, EventId, EventStore, Expected, Json, StreamId, Version,
    error_text,
};

/// The stream called `name`.
pub(super) fn stream(name: &str) -> StreamId {
    name.parse().unwrap_or_else(|error| panic!("{error}"))
}

/// JSON text, as it stands.
pub(super) fn json(text: &str) -> Json {
    Json::parse(text).unwrap_or_else(|error| panic!("{text} is no JSON: {error}"))
}

/// An event under a fresh id.
pub(super) fn event(number: u64) -> EventData {
    event_with(EventId::random(), number)
}

/// An event under this id.
pub(super) fn event_with(id: EventId, number: u64) -> EventData {
    EventData::raw(id, "Counted", 1, json(&format!(r#"{{"number":{number}}}"#)))
}

/// An event of this type, under a fresh id.
pub(super) fn event_of(event_type: &str) -> EventData {
    EventData::raw(EventId::random(), event_type, 1, Json::empty())
}

/// So many events under fresh ids.
pub(super) fn events(count: u64) -> Vec<EventData> {
    (0..count).map(event).collect()
}

/// The stream must be at this version.
pub(super) fn at(version: u64) -> Expected {
    Expected::Exactly(Version::new(version))
}

/// Appends what must go through.
pub(super) async fn append(store: &dyn EventStore, commit: Commit) -> Committed {
    store.append(commit).await.unwrap_or_else(|error| panic!("an append failed: {}", error_text(&error)))
}

/// Appends `events` to `stream`, whatever it is at.
pub(super) async fn append_to(
    store: &dyn EventStore,
    stream: &StreamId,
    events: Vec<EventData>,
) -> Committed {
    append(store, Commit::to(stream.clone(), Expected::Any, events)).await
}

/// Appends what must be refused, and says why it was.
pub(super) async fn refusal(store: &dyn EventStore, commit: Commit) -> AppendError {
    match store.append(commit).await {
        Ok(committed) => panic!("the commit was to be refused, but became {committed:?}"),
        Err(error) => error,
    }
}

/// Asserts that a refusal is a conflict on `stream`, with these versions.
pub(super) fn assert_conflict(error: &AppendError, on: &StreamId, wanted: Expected, is: u64) {
    match error {
        AppendError::Conflict { stream, expected, actual } => assert_eq!(
            (stream, *expected, *actual),
            (on, wanted, Version::new(is)),
            "a conflict names the first stream that is elsewhere, what was expected and what is"
        ),
        other => panic!("expected a conflict on {on}, got {other:?}"),
    }
}

/// The ids of a commit, in order.
pub(super) fn ids_of(commit: &Commit) -> Vec<EventId> {
    commit.writes().iter().flat_map(|write| &write.events).map(|event| event.id).collect()
}

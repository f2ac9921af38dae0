//! An aggregate whose type the holder need not know.

use crate::CliError;
use annals::{Aggregate, At, DecodeError, DomainEvent, Engine, Json, RecordedEvent, StreamId, Version};
use async_trait::async_trait;
use serde::Serialize;
use std::marker::PhantomData;

/// An aggregate whose type the holder need not know: for showing what a stream says.
#[async_trait]
pub(crate) trait AnyAggregate: Send + Sync {
    /// The category of its streams.
    fn category(&self) -> &'static str;

    /// What it looked like at a time, by its history.
    async fn fold(&self, engine: &Engine, stream: &StreamId, at: At) -> Result<Folded, CliError>;

    /// Whether this program can read the event.
    fn decodes(&self, event: &RecordedEvent) -> Result<(), DecodeError>;
}

/// The state of an aggregate, and the version of the last event in it.
pub(crate) struct Folded {
    pub(crate) state: Json,
    /// The same for people, over several lines.
    pub(crate) pretty: String,
    pub(crate) version: Version,
}

pub(super) struct Of<A>(PhantomData<fn() -> A>);

impl<A> Of<A> {
    pub(super) fn new() -> Self {
        Self(PhantomData)
    }
}

#[async_trait]
impl<A: Aggregate + Serialize> AnyAggregate for Of<A> {
    fn category(&self) -> &'static str {
        A::Event::CATEGORY
    }

    async fn fold(&self, engine: &Engine, stream: &StreamId, at: At) -> Result<Folded, CliError> {
        let folded = engine.load_from_at::<A>(stream, at).await;
        let folded = folded.map_err(|error| CliError::because(stream, &error))?;
        let unwritable = |error: serde_json::Error| CliError::because(stream, &error);
        let state = Json::of(&*folded.state).map_err(unwritable)?;
        let pretty = serde_json::to_string_pretty(&*folded.state).map_err(unwritable)?;
        Ok(Folded { state, pretty, version: folded.version })
    }

    fn decodes(&self, event: &RecordedEvent) -> Result<(), DecodeError> {
        annals::decode_recorded::<A::Event>(event, &mut drop)
    }
}

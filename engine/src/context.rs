//! One arrival of one command.

use crate::{CommandId, EventId, Metadata, RecordedEvent, StreamId};

/// One arrival of one command: its id, and what is kept with its events.
///
/// Taken by value and not `Clone`: two commands never share an id by oversight.
///
/// ```
/// use annals::Context;
/// let from_a_web_request = Context::keyed("7c1f-idempotency-key").actor("customer 17");
/// ```
#[derive(Debug)]
pub struct Context {
    command: CommandId,
    metadata: Metadata,
}

impl Context {
    /// A command that will not arrive again, under a fresh id.
    #[expect(clippy::new_without_default, reason = "each call gives another id, which no default should")]
    pub fn new() -> Self {
        Self::of(CommandId::random())
    }

    /// A command that may arrive again under this id; it then gets its first answer.
    pub fn of(command: CommandId) -> Self {
        let metadata = Metadata { command_id: Some(command), ..Metadata::default() };
        Self { command, metadata }
    }

    /// A command that its sender knows by `key`, as in an `Idempotency-Key` header.
    pub fn keyed(key: &str) -> Self {
        Self::of(CommandId::of_key(key))
    }

    /// The `ordinal`th command that `subscriber` sends to `target` because of `cause`. Carries on the correlation
    /// id and the trace of the cause.
    pub fn caused_by(cause: &RecordedEvent, subscriber: &str, target: &StreamId, ordinal: u32) -> Self {
        let mut context = Self::of(CommandId::caused(subscriber, cause.id, target, ordinal));
        let known = cause.metadata();
        let root = known.command_id.map(|id| id.to_string());
        context.metadata.correlation_id = known.correlation_id.or(root);
        context.metadata.causation_id = Some(cause.id);
        context.metadata.traceparent = known.traceparent;
        context
    }

    /// Shared by everything that one request sets in motion.
    #[must_use]
    pub fn correlation_id(mut self, id: impl Into<String>) -> Self {
        self.metadata.correlation_id = Some(id.into());
        self
    }

    /// On whose behalf.
    #[must_use]
    pub fn actor(mut self, actor: impl Into<String>) -> Self {
        self.metadata.actor = Some(actor.into());
        self
    }

    /// The W3C trace context of the request.
    #[must_use]
    pub fn traceparent(mut self, traceparent: impl Into<String>) -> Self {
        self.metadata.traceparent = Some(traceparent.into());
        self
    }

    /// Something else to keep with the events.
    #[must_use]
    pub fn entry(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.metadata.entries.insert(name.into(), value.into());
        self
    }

    /// The id of the command.
    pub fn command_id(&self) -> CommandId {
        self.command
    }

    /// What is kept with each event.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// The id of the `ordinal`th event (from 0) that the command leaves in `stream`.
    pub(crate) fn event_id(&self, stream: &StreamId, ordinal: u32) -> EventId {
        self.command.event(stream, ordinal)
    }
}

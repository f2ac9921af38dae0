//! The contract of whatever reads the log in order and keeps its place.

use crate::{
    AnyRejection, CheckpointError, DecodeError, ExecuteError, LeaseError, LogFilter, LogPage, OpenError,
    PageLimit, Position, StoreError, StreamId,
};
use async_trait::async_trait;
use std::{error::Error, sync::Arc};

/// Reads the log in order: projections, policies, publishers.
///
/// `&mut self`: one runner at a time, so a subscriber keeps its place and its caches without a lock.
#[async_trait]
pub trait Subscriber: Send {
    /// Its name, for people and for checkpoints.
    fn name(&self) -> &str;

    /// Which events it takes.
    fn filter(&self) -> LogFilter;

    /// How many events it wants at once, at most.
    fn page_limit(&self) -> PageLimit {
        PageLimit::DEFAULT
    }

    /// Takes the lease and says from where to read on. Called again before whatever follows a failure, but for what lies
    /// before an event that [stops](SubscriberError::stops_at) it.
    async fn begin(&mut self) -> Result<Position, SubscriberError>;

    /// Handles a page and moves the checkpoint to [`LogPage::looked`]. A page may be delivered again after a
    /// failure, and must then count once. Where one event [stops](SubscriberError::stops_at) it, what lies
    /// before that is delivered next, without a new beginning.
    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError>;

    /// Called about every [`TEND_INTERVAL`](crate::TEND_INTERVAL) while there is nothing to read: keeps the lease,
    /// carries out what operators asked for.
    async fn tend(&mut self) -> Result<(), SubscriberError>;

    /// Gives the lease back. Called when the runner stops, not when the lease was lost.
    async fn end(&mut self) -> Result<(), SubscriberError>;

    /// Makes a failure visible to people, `None` that it has passed.
    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError>;
}

/// Why a subscriber cannot go on.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SubscriberError {
    /// It cannot be opened: its version does not fit the stored one.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It does not get its lease.
    #[error(transparent)]
    Lease(#[from] LeaseError),
    /// Its checkpoint lies behind the end of the log.
    #[error(
        "{subscriber} has handled the log up to {checkpoint}, but the log ends at {head}: it is another log, or one that lost its end; restore it, or remove the read models, which are then made anew"
    )]
    Ahead {
        /// Who.
        subscriber: String,
        /// Where it stands.
        checkpoint: Position,
        /// Where the log ends.
        head: Position,
    },
    /// Its documents are filled by the parts of a consumer, so its checkpoint says nothing of what is in them.
    #[error(
        "{subscriber} is filled from topics here, by {part} among others, and would count everything again: keep the read models of a log elsewhere, or make this one anew from the log with `replay {subscriber}`"
    )]
    FilledByParts {
        /// Who.
        subscriber: String,
        /// One of the parts.
        part: String,
    },
    /// It was given a page that does not begin where the one before it ended.
    #[error("{subscriber} stands at {checkpoint} and was given the log from {after} to {looked}")]
    Misplaced {
        /// Who.
        subscriber: String,
        /// Where it stands.
        checkpoint: Position,
        /// What the page lies behind.
        after: Position,
        /// How far it reaches.
        looked: Position,
    },
    /// It may not move its checkpoint.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// An event cannot be read by this program at all, so there is no key to park it under.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// A stored document cannot be read, or a new one not be written.
    #[error(
        "{subscriber} cannot {doing} document {key:?}: after a change of its type, raise VERSION and replay"
    )]
    Document {
        /// Whose document.
        subscriber: String,
        /// `read` or `write`.
        doing: &'static str,
        /// Its key.
        key: Arc<str>,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// An event cannot be handled.
    #[error("{subscriber} cannot handle {stream} at position {position}")]
    Poison {
        /// Who.
        subscriber: String,
        /// The stream of the event.
        stream: StreamId,
        /// Its place in the log.
        position: Position,
        /// Why.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// What it writes to failed, and is no store of ours: a message broker, another service.
    #[error("{subscriber} cannot go on")]
    Elsewhere {
        /// Who.
        subscriber: String,
        /// Why, and what to do.
        #[source]
        source: Box<dyn Error + Send + Sync>,
    },
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl SubscriberError {
    /// The event that cannot be handled, where it is to blame: not a store that fails, nor others who keep changing a
    /// stream. Whoever reads hands over what lies before it, so that the checkpoint stands right in front of it and
    /// whoever passes over it loses nothing else. A policy sends commands for several aggregates at once, so some of what
    /// lies behind may be done already, and is done once all the same.
    pub fn stops_at(&self) -> Option<Position> {
        match self {
            Self::Decode(DecodeError { position, .. }) => Some(*position),
            Self::Poison { position, source, .. } => (!might_be_any(&**source)).then_some(*position),
            _ => None,
        }
    }
}

/// Whether a command failed for something that has nothing to do with what it was to do.
fn might_be_any(source: &(dyn Error + Send + Sync + 'static)) -> bool {
    type Failed = ExecuteError<AnyRejection>;
    match source.downcast_ref::<Failed>() {
        Some(Failed::Contended { .. }) => true,
        Some(Failed::Failed(failure)) => failure.of_store().is_some(),
        Some(Failed::Rejected(_)) => false,
        None => source.is::<StoreError>(),
    }
}

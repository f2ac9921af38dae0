//! Rebuilds: generation n+1 is filled beside n, compared, and takes its place.

mod overtaken;
mod round;
mod watched;

use super::Registered;
use crate::{
    Comparison, DocumentStore, EventStore, LeaseTerms, LogPage, OpenError, Position, StoreError,
    SubscriberError, SubscriberId, SwitchError,
};
use round::{Matched, Round};
use std::sync::Arc;

/// How often a rebuild tries to meet the live generation before it gives up. It fails to only where others rebuild the
/// same read model over and over.
pub const LEVEL_ATTEMPTS_MAX: u32 = 100;

/// How often it tries to meet a live generation that moves. After that it has it stand still: it
/// [takes its lease over](crate::Checkpoints::take_over) for a moment, and the runner stands by.
pub const MOVING_ATTEMPTS_MAX: u32 = 3;

/// A rebuild of one read model: fills a new generation beside the live one, which keeps serving and following.
///
/// Sends no command, publishes nothing, runs no timer. One that was interrupted goes on where it stopped. Where another
/// process rebuilds the same read model in the same version, both fill one generation by turns, and who comes second
/// takes the generation that is live by then for its own, or begins anew. While the other one fills it, this one ends
/// with [`LeaseError::Held`](crate::LeaseError::Held): run it again.
pub struct Rebuild {
    projection: Registered,
    store: Arc<dyn EventStore>,
    documents: Arc<dyn DocumentStore>,
    terms: LeaseTerms,
    lanes: u32,
}

/// What a rebuild has done.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Rebuilt {
    /// The generation that was filled.
    pub generation: SubscriberId,
    /// Where it stands.
    pub position: Position,
    /// How many events it took in, of those that the projection takes.
    pub events: u64,
    /// How it differs from the generation that was live, where that was asked for and there was one.
    pub comparison: Option<Comparison>,
    /// Whether it is live now.
    pub switched: bool,
}

/// Why a rebuild ended without a result. Running it again goes on where it stopped.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// The new generation cannot be made.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// It cannot be filled.
    #[error(transparent)]
    Fill(#[from] SubscriberError),
    /// The live generation moved on, or was replaced, each time.
    #[error(
        "{name}: the live generation was moved on or replaced by others {LEVEL_ATTEMPTS_MAX} times: see that no other process replays it, and try again"
    )]
    NeverLevel {
        /// The read model.
        name: &'static str,
    },
    /// It did not become the live one.
    #[error(transparent)]
    Switch(#[from] SwitchError),
    /// A store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Rebuild {
    /// A rebuild of `projection` from the log in `store`.
    pub fn new(
        projection: Registered,
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
    ) -> Self {
        Self { projection, store, documents, terms: LeaseTerms::default(), lanes: 1 }
    }

    /// Takes leases on these terms.
    #[must_use]
    pub fn lease_terms(self, terms: LeaseTerms) -> Self {
        Self { terms, ..self }
    }

    /// Writes in `count` lanes at once, where the store can: see [`Projector::lanes`](crate::Projector::lanes).
    #[must_use]
    pub fn lanes(self, count: u32) -> Self {
        Self { lanes: count, ..self }
    }

    /// Fills a new generation, and makes it the live one. Calls `progress` with each page.
    pub async fn run(&self, progress: &mut (dyn FnMut(&LogPage) + Send)) -> Result<Rebuilt, RebuildError> {
        self.rounds(None, progress).await
    }

    /// Fills a new generation, compares it with the live one at one position, and makes it the live one if nothing
    /// differs. If something does, it is kept as it is, and [`run`](Self::run) goes on from there.
    pub async fn compare(
        &self,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        self.rounds(Some(Matched::default()), progress).await
    }

    async fn rounds(
        &self,
        mut matched: Option<Matched>,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        self.sweep(0).await?;
        let mut events = 0;
        for attempt in 1..=LEVEL_ATTEMPTS_MAX {
            match self.round(attempt > MOVING_ATTEMPTS_MAX, matched.as_mut(), progress).await {
                Ok(Round::Done(rebuilt)) => {
                    return Ok(Rebuilt { events: events + rebuilt.events, ..rebuilt });
                }
                Ok(Round::Again { more }) => events += more,
                Err(error) => self.overtaken(error).await?,
            }
        }
        Err(RebuildError::NeverLevel { name: self.projection.name() })
    }
}

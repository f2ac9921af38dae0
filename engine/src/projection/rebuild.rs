//! Rebuilds: generation n+1 is filled beside n, compared, and takes its place.

use super::Registered;
use crate::{
    CompareError, Comparison, DocumentStore, EventStore, GenerationState, LeaseTerms, LogFilter, LogPage,
    OpenError, PageLimit, Position, StoreError, Subscriber, SubscriberError, SubscriberId, SwitchError,
    catch_up_to,
};
use async_trait::async_trait;
use std::sync::Arc;

/// How often both generations are brought to one position when the live one keeps moving on.
pub const LEVEL_ATTEMPTS_MAX: u32 = 1_000;

/// A rebuild of one read model: fills a new generation beside the live one, which keeps serving and following.
///
/// Sends no command, publishes nothing, runs no timer. One that was interrupted goes on where it stopped.
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
    /// The live generation moved on each time both should have been compared.
    #[error(
        "{name}: the live generation moved on {LEVEL_ATTEMPTS_MAX} times before it could be compared: try again when less is written"
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
        self.sweep().await?;
        let (generation, events) = self.fill(Position::new(u64::MAX), progress).await?;
        self.finish(generation, events, None, progress).await
    }

    /// Fills a new generation, compares it with the live one at one position, and makes it the live one if nothing
    /// differs. If something does, it is kept as it is, and [`run`](Self::run) goes on from there.
    pub async fn compare(
        &self,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        self.sweep().await?;
        let mut events = 0;
        for _ in 0..LEVEL_ATTEMPTS_MAX {
            // The live generation need not stand at the head: it is met where it stands.
            let live = self.live().await?;
            let target = live.as_ref().map_or(Position::new(u64::MAX), |(_, at)| *at);
            let (generation, more) = self.fill(target, progress).await?;
            events += more;
            let Some((live, _)) = live else { return self.finish(generation, events, None, progress).await };
            match self.documents.compare(&live, &generation).await {
                Ok(comparison) if comparison.differences() == 0 => {
                    return self.finish(generation, events, Some(comparison), progress).await;
                }
                Ok(comparison) => {
                    let (position, comparison) = (comparison.position, Some(comparison));
                    return Ok(Rebuilt { generation, position, events, comparison, switched: false });
                }
                // It was left ahead by an earlier rebuild, and the live one has nobody to move it on: begin anew.
                Err(CompareError::Apart { old, new }) if new > old && old == target => {
                    self.documents.abandon(&generation).await?;
                    self.purge(&generation).await?;
                    events = 0;
                }
                Err(CompareError::Apart { .. }) => {}
                Err(CompareError::Store(error)) => return Err(error.into()),
            }
        }
        Err(RebuildError::NeverLevel { name: self.projection.name() })
    }

    async fn live(&self) -> Result<Option<(SubscriberId, Position)>, StoreError> {
        let Some((live, _)) = self.documents.live(self.projection.name()).await? else { return Ok(None) };
        let all = self.documents.subscribers().await?;
        Ok(all.into_iter().find(|info| info.subscriber == live).map(|info| (live, info.checkpoint)))
    }

    async fn fill(
        &self,
        last: Position,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<(SubscriberId, u64), RebuildError> {
        let generation =
            self.documents.start_rebuild(self.projection.name(), self.projection.version()).await?;
        let (_, events) = self.take_in(&generation, last, progress).await?;
        Ok((generation, events))
    }

    /// Brings `generation` up to `last`: where it then stands, and how many events it took in.
    async fn take_in(
        &self,
        generation: &SubscriberId,
        last: Position,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<(Position, u64), RebuildError> {
        let (store, documents) = (self.store.clone(), self.documents.clone());
        let (generation, terms) = (generation.clone(), self.terms.clone());
        let inner = self.projection.building_in_lanes(store, documents, generation, terms, self.lanes);
        let mut watched = Watched { inner, progress, events: 0 };
        let position = catch_up_to(&*self.store, &mut watched, last).await?;
        Ok((position, watched.events))
    }

    /// Brings the generation to the head, makes it live, and deletes what it replaces.
    async fn finish(
        &self,
        generation: SubscriberId,
        mut events: u64,
        comparison: Option<Comparison>,
        progress: &mut (dyn FnMut(&LogPage) + Send),
    ) -> Result<Rebuilt, RebuildError> {
        let replaced = self.live().await?;
        for attempt in 1.. {
            let (position, more) = self.take_in(&generation, Position::new(u64::MAX), progress).await?;
            events += more;
            match self.documents.switch(&generation).await {
                Ok(()) => {
                    if let Some((old, _)) = replaced {
                        self.purge(&old).await?;
                    }
                    return Ok(Rebuilt { generation, position, events, comparison, switched: true });
                }
                Err(SwitchError::Behind { .. }) if attempt < LEVEL_ATTEMPTS_MAX => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(RebuildError::NeverLevel { name: self.projection.name() })
    }

    /// Deletes what earlier rebuilds left that were killed before they could.
    async fn sweep(&self) -> Result<(), StoreError> {
        for info in self.documents.subscribers().await? {
            if info.subscriber.name() == self.projection.name() && info.state == GenerationState::Retired {
                self.purge(&info.subscriber).await?;
            }
        }
        Ok(())
    }

    async fn purge(&self, retired: &SubscriberId) -> Result<(), StoreError> {
        while !self.documents.purge(retired, PageLimit::MAX).await? {}
        Ok(())
    }
}

/// Shows each page to whoever watches.
struct Watched<'a> {
    inner: Box<dyn Subscriber>,
    progress: &'a mut (dyn FnMut(&LogPage) + Send),
    events: u64,
}

#[async_trait]
impl Subscriber for Watched<'_> {
    fn name(&self) -> &str {
        self.inner.name()
    }

    fn filter(&self) -> LogFilter {
        self.inner.filter()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.inner.begin().await
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.inner.handle(page).await?;
        self.events += page.events.len() as u64;
        (self.progress)(page);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.inner.tend().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.inner.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.inner.report(failure).await
    }
}

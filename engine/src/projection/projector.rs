//! Runs a projection: one load, one fold and one write per page.

use super::column::fit_together;
use super::fold::Touches;
use super::lanes::Lanes;
use super::retry::{FromLog, retried};
use crate::{
    CheckpointError, DocumentStore, EventStore, LeaseTerms, LogFilter, LogPage, PageLimit, PageWrite,
    Position, Projection, Step, StoreError, Subscriber, SubscriberError, SubscriberId, TEND_INTERVAL,
    subscription::Place,
};
use async_trait::async_trait;
use chrono::Utc;
use std::sync::Arc;
use tokio::time::Instant;

/// Runs a projection as a subscriber of the log.
///
/// Documents, parked events and checkpoint of a page are written in one transaction, under the lease: each event
/// counts exactly once, and a runner that was paused and replaced writes nothing.
pub struct Projector<P: Projection> {
    projection: P,
    store: Arc<dyn EventStore>,
    documents: Arc<dyn DocumentStore>,
    place: Place,
    lanes: Lanes,
    asked: Option<Instant>,
}

impl<P: Projection> Projector<P> {
    /// Runs the live generation of `projection`.
    pub fn new(projection: P, store: Arc<dyn EventStore>, documents: Arc<dyn DocumentStore>) -> Self {
        const {
            assert!(
                fit_together(P::COLUMNS),
                "two COLUMNS of a projection have one name, or there are too many"
            )
        };
        let place = Place::live(documents.clone(), P::NAME, P::VERSION);
        Self { projection, store, documents, place, lanes: Lanes::wanted(1), asked: None }
    }

    /// Runs `generation`, which is being built.
    #[must_use]
    pub fn building(self, generation: SubscriberId) -> Self {
        Self { place: self.place.building(generation), ..self }
    }

    /// Takes the lease on these terms.
    #[must_use]
    pub fn lease_terms(self, terms: LeaseTerms) -> Self {
        Self { place: self.place.terms(terms), ..self }
    }

    /// Writes in `count` lanes at once, at most [`LANES_MAX`](crate::LANES_MAX), where the store can: documents are
    /// divided by key, so events of one key stay in order. For rebuilds: many documents are written sooner.
    #[must_use]
    pub fn lanes(self, count: u32) -> Self {
        Self { lanes: Lanes::wanted(count), ..self }
    }

    /// Carries out what operators asked for since the last look, which is at most [`TEND_INTERVAL`] ago.
    async fn answer_requests(&mut self) -> Result<(), SubscriberError> {
        if self.asked.is_some_and(|asked| asked.elapsed() < TEND_INTERVAL) {
            return Ok(());
        }
        let requests = self.documents.requests(self.place.id()?, PageLimit::DEFAULT).await?;
        for request in requests {
            let of = self.place.id()?.clone();
            let kept = FromLog(&*self.store);
            let (_, write) = retried(&self.projection, &kept, &*self.documents, &of, &request).await?;
            // The checkpoint stays where it is: the step only proves that the lease is still ours.
            match self.lanes.of(&request.key) {
                Some((lane, at)) => {
                    let step = Step { from: at, ..self.place.step(at)? };
                    self.documents.commit_lane(lane, &step, write).await?;
                }
                None => {
                    let at = self.place.step(Position::START)?.from;
                    self.documents.commit(&self.place.step(at)?, write).await?;
                }
            }
        }
        self.asked = Some(Instant::now());
        Ok(())
    }
}

#[async_trait]
impl<P: Projection> Subscriber for Projector<P> {
    fn name(&self) -> &str {
        P::NAME
    }

    fn filter(&self) -> LogFilter {
        LogFilter::of::<P::Event>()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.asked = None;
        let at = self.place.begin_from_log().await?;
        // Under the lease: of two programs that declare different columns, the one that runs decides.
        let described = self.documents.describe(self.place.id()?, P::COLUMNS);
        self.place.renewing(async { Ok(described.await?) }).await?;
        self.lanes.begin(&self.place, &*self.documents).await?;
        Ok(at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.answer_requests().await?;
        if !self.place.is_next(page)? {
            return Ok(());
        }
        self.place.check_no_parts().await?;
        if self.lanes.are_there() {
            let Self { projection, documents, place, lanes, .. } = self;
            tell_parked::<P>(&lanes.handle(projection, place, &**documents, page).await?);
        } else if page.events.is_empty() {
            return self.place.advance(page.looked).await;
        } else {
            let touches = Touches::of(&self.projection, &page.events)?;
            let slots = self.documents.load(self.place.id()?, touches.keys()).await?;
            let write = touches.fold(slots, Utc::now())?;
            tell_parked::<P>(&write);
            self.documents.commit(&self.place.step(page.looked)?, write).await?;
            self.place.stepped(page.looked);
        }
        metrics::counter!("annals_events_handled", "subscriber" => P::NAME)
            .increment(page.events.len() as u64);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.place.renew().await?;
        self.answer_requests().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        let undivided = self.lanes.end(&self.place, &*self.documents).await;
        self.place.end().await?;
        match undivided {
            // The lease was lost: whoever has it finds the lanes as they are.
            Err(SubscriberError::Checkpoint(
                CheckpointError::Fenced { .. } | CheckpointError::Retired { .. },
            )) => Ok(()),
            outcome => outcome,
        }
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.place.report(failure).await
    }
}

pub(super) fn tell_parked<P: Projection>(write: &PageWrite) {
    if let Some(first) = write.park.first() {
        metrics::counter!("annals_events_parked", "subscriber" => P::NAME).increment(write.park.len() as u64);
        tracing::warn!(subscriber = P::NAME, parked = write.park.len(), first = %first.error, "events are parked");
    }
}

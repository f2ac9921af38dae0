//! Runs a projection on one part of the events, beside others that write into the same documents.

mod again;
mod mode;
mod place;
mod requests;
#[cfg(test)]
mod tests;

pub use mode::PartMode;
pub use place::PartPlace;

use super::{fold::Touches, projector::tell_parked};
use crate::{
    CheckpointError, DocumentStore, LeaseTerms, LogFilter, LogPage, PageWrite, Parked, Position, Projection,
    RecordedEvent, Slot, StoreError, Subscriber, SubscriberError, SubscriberId,
};
use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use chrono::Utc;
use std::{collections::HashSet, sync::Arc, time::Duration};
use tokio::time::Instant;

/// How often a page is folded anew because another part wrote its documents meanwhile, before the part fails and is
/// tried again as a whole. One of those that race always gets through.
pub const PART_RACES_MAX: u32 = 100;

/// How often an event is tried that the projection refuses, before it is parked: what it lacks may be on its way in
/// another part.
pub const REFUSED_ATTEMPTS_MAX: u32 = 4;

/// The wait before a refused event is tried again; each further one is twice as long, with jitter.
pub const REFUSED_RETRY_FIRST: Duration = Duration::from_millis(50);

/// The wait before a page is folded anew that another part came before; each further one is twice as long, with jitter,
/// up to [`RACED_RETRY_MAX`].
const RACED_RETRY_FIRST: Duration = Duration::from_millis(1);

/// The longest such wait.
const RACED_RETRY_MAX: Duration = Duration::from_millis(50);

/// Keeps the events that are parked where there is no log to read them from again.
#[async_trait]
pub trait ParkedEvents: Send + Sync {
    /// Keeps events that are about to be parked, each with its entry. The transaction that parks them comes behind, and
    /// may fail: then the same may be kept twice.
    async fn keep(&self, parked: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError>;

    /// The events of these entries, in their order: for each the event, or why it is no more there. To find one may
    /// take reading everything that is kept, so it is asked once for many.
    ///
    /// # Errors
    /// When it cannot be looked.
    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError>;
}

/// What a part is called: the subscriber `name`, the generation that it writes into, and the part.
pub fn part_name(name: &str, generation: u32, part: &str) -> String {
    format!("{name}-{generation}-at-{part}")
}

/// What [`part_name`] was made of: the subscriber, the generation and the part; none where it is the name of no part.
pub fn part_of(name: &str) -> Option<(&str, u32, &str)> {
    let (of, part) = name.rsplit_once("-at-")?;
    let (name, generation) = of.rsplit_once('-')?;
    Some((name, generation.parse().ok()?, part))
}

/// Runs a projection on one part of the events, as a subscriber of its own: those that come in an order of their own,
/// as from a partition of a topic. Events of different parts may touch the same documents.
///
/// Documents, parked events and the checkpoint of a page are written in one transaction, under the lease of the part,
/// and only if every document is still what was folded: each event counts exactly once, whatever other parts do.
///
/// An event that `project` refuses is tried [`REFUSED_ATTEMPTS_MAX`] times, then parked under its key as everywhere,
/// and kept in [`ParkedEvents`]; what becomes of later ones under its key, the [`PartMode`] says. What operators ask
/// for about parked events is carried out by whichever part comes first.
pub struct PartProjector<P: Projection> {
    projection: P,
    documents: Arc<dyn DocumentStore>,
    kept: Arc<dyn ParkedEvents>,
    mode: PartMode,
    place: PartPlace,
    asked: Option<Instant>,
}

impl<P: Projection> PartProjector<P> {
    /// Runs `part` of `projection`: a name that fits the grammar of [`SubscriberId`] behind that of the projection.
    /// Parked events go to `kept`.
    pub fn new(
        projection: P,
        part: &str,
        documents: Arc<dyn DocumentStore>,
        kept: Arc<dyn ParkedEvents>,
    ) -> Self {
        let place = PartPlace::new(documents.clone(), P::NAME, P::VERSION, part);
        Self { projection, documents, kept, mode: PartMode::default(), place, asked: None }
    }

    /// Writes into `generation`, which is being built, and not into the live one.
    #[must_use]
    pub fn building(self, generation: Option<SubscriberId>) -> Self {
        Self { place: self.place.building(generation), ..self }
    }

    /// What it does with events under the key of a parked one.
    #[must_use]
    pub fn mode(self, mode: PartMode) -> Self {
        Self { mode, ..self }
    }

    /// Takes the lease on these terms.
    #[must_use]
    pub fn lease_terms(self, terms: LeaseTerms) -> Self {
        Self { place: self.place.terms(terms), ..self }
    }

    /// Folds the page and writes it, again until no other part comes in between.
    async fn take_in(&self, page: &LogPage, touches: &Touches<'_, P>) -> Result<(), SubscriberError> {
        let (into, place) = self.place.running()?;
        let step = place.step(page.looked)?;
        let (mut races, mut attempts) = (Races::new(), 1);
        let mut after_refusal = waits(REFUSED_RETRY_FIRST);
        let mut kept = HashSet::new();
        loop {
            let slots = self.documents.load(into, touches.keys()).await?;
            let seen: Vec<(Arc<str>, Slot)> = touches.keys().iter().cloned().zip(slots.clone()).collect();
            let mut write = touches.fold(slots, Utc::now())?;
            let refused = write.park.iter().any(|entry| !entry.error.is_empty());
            if refused && attempts < REFUSED_ATTEMPTS_MAX {
                attempts += 1;
                tokio::time::sleep(after_refusal.next().unwrap_or(REFUSED_RETRY_FIRST)).await;
                continue;
            }
            for entry in write.park.iter_mut().filter(|entry| !entry.error.is_empty()) {
                entry.attempts = attempts;
            }
            self.keep(page, &write, &mut kept).await?;
            tell_parked::<P>(&write);
            match self.documents.commit_part(&step, into, &seen, write).await {
                Err(CheckpointError::Raced { .. }) if races.count < PART_RACES_MAX => {
                    races.wait(P::NAME).await
                }
                outcome => return Ok(outcome?),
            }
        }
    }

    /// Keeps what is to be parked and was not kept before.
    async fn keep(
        &self,
        page: &LogPage,
        write: &PageWrite,
        kept: &mut HashSet<(Arc<str>, Position)>,
    ) -> Result<(), StoreError> {
        let fresh = write.park.iter().filter(|entry| !kept.contains(&(entry.key.clone(), entry.position)));
        let event_of = |entry: &Parked| page.events.iter().find(|event| event.position == entry.position);
        let fresh: Vec<(&Parked, &RecordedEvent)> =
            fresh.filter_map(|entry| Some((entry, event_of(entry)?))).collect();
        if !fresh.is_empty() {
            self.kept.keep(&fresh).await?;
            kept.extend(fresh.iter().map(|(entry, _)| (entry.key.clone(), entry.position)));
        }
        Ok(())
    }
}

/// How often another part came in between.
struct Races {
    count: u32,
    waits: ExponentialBackoff,
}

impl Races {
    fn new() -> Self {
        Self { count: 0, waits: waits(RACED_RETRY_FIRST) }
    }

    /// One more: waits before the next try.
    async fn wait(&mut self, subscriber: &'static str) {
        self.count += 1;
        metrics::counter!("annals_part_races", "subscriber" => subscriber).increment(1);
        let wait = self.waits.next().unwrap_or(RACED_RETRY_MAX).min(RACED_RETRY_MAX);
        tokio::time::sleep(wait).await;
    }
}

fn waits(first: Duration) -> ExponentialBackoff {
    ExponentialBuilder::default().with_jitter().with_min_delay(first).without_max_times().build()
}

#[async_trait]
impl<P: Projection> Subscriber for PartProjector<P> {
    fn name(&self) -> &str {
        self.place.name()
    }

    fn filter(&self) -> LogFilter {
        LogFilter::of::<P::Event>()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.asked = None;
        let at = self.place.begin().await?;
        let (into, place) = self.place.running()?;
        let described = self.documents.describe(into, P::COLUMNS);
        place.renewing(async { Ok(described.await?) }).await?;
        Ok(at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        if self.mode == PartMode::Again {
            // Whoever settles an event of a key answers what was asked about the key.
            self.asked = None;
        }
        self.answer_requests().await?;
        // There may be gaps between pages: what lies there went to other parts, or was left out.
        if !self.place.running()?.1.is_due(page)? {
            return Ok(());
        }
        let touches = match self.mode {
            PartMode::InOrder => Touches::of(&self.projection, &page.events)?,
            PartMode::OutOfOrder | PartMode::Again => {
                Touches::of(&self.projection, &page.events)?.out_of_order()
            }
        };
        if touches.keys().is_empty() {
            drop(touches);
            self.place.advance(page.looked).await?;
        } else if self.mode == PartMode::Again {
            drop(touches);
            self.place.running()?.1.renewing(self.take_again(page)).await?;
            self.place.stepped(page.looked);
        } else {
            self.place.running()?.1.renewing(self.take_in(page, &touches)).await?;
            drop(touches);
            self.place.stepped(page.looked);
        }
        metrics::counter!("annals_events_handled", "subscriber" => self.place.name().to_string())
            .increment(page.events.len() as u64);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.place.running()?.1.renew().await?;
        self.answer_requests().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.place.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.place.report(failure).await
    }
}

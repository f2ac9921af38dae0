//! Runs a SQL projection on parts of the events, as they come from the partitions of topics.

use super::{
    PostgresDocuments,
    sql_page::Again,
    sql_part_page::{Asked, PartStep, Turn, Undone},
    sql_rows::{tell, tell_parked},
};
use crate::SqlProjection;
use annals::{
    CheckpointError, DocumentStore, LeaseTerms, LogFilter, LogPage, PageLimit, Parked, ParkedEvents,
    ParkedRequest, PartMode, PartPlace, Place, Position, REFUSED_ATTEMPTS_MAX, REFUSED_RETRY_FIRST,
    RecordedEvent, StoreError, Subscriber, SubscriberError, SubscriberId, TEND_INTERVAL, error_text,
};
use async_trait::async_trait;
use backon::{BackoffBuilder, ExponentialBuilder};
use std::{collections::HashSet, sync::Arc};
use tokio::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

/// Runs a [`SqlProjection`] where there is no log: on parts of the events, each in an order of its own, as the
/// partitions of topics are. For `Handler::parts` of `annals-kafka`:
///
/// ```text
/// let parts = SqlParts::new(Invoices, documents.clone());
/// let handler = Handler::parts(Invoices::NAME, documents, move |part, mode, kept, terms| {
///     parts.part(part, mode, kept, terms)
/// });
/// ```
///
/// Rows, parked events and the checkpoint of a page are written in one transaction, under the lease of the part: each
/// event counts exactly once. **Pages come one after the other**, whatever part or process they are of, so the author's
/// statements need not think of others, and several parts are not faster than one. A page waits
/// [`STATEMENT_WAIT_MAX`](crate::STATEMENT_WAIT_MAX) for those of other processes, then it is tried again.
///
/// A page with a refused event is tried [`REFUSED_ATTEMPTS_MAX`] times, since what it lacks may be on its way in another
/// part, and once more when what is refused is kept in [`ParkedEvents`]; then that is parked under its key.
pub struct SqlParts<P: SqlProjection> {
    projection: Arc<P>,
    documents: Arc<PostgresDocuments>,
    building: Option<SubscriberId>,
    /// In this process they get in line here, so that those who wait hold no connection.
    turn: Arc<Mutex<()>>,
}

impl<P: SqlProjection> Clone for SqlParts<P> {
    fn clone(&self) -> Self {
        let (projection, documents) = (self.projection.clone(), self.documents.clone());
        Self { projection, documents, building: self.building.clone(), turn: self.turn.clone() }
    }
}

/// One of them.
struct SqlPart<P: SqlProjection> {
    parts: SqlParts<P>,
    mode: PartMode,
    kept: Arc<dyn ParkedEvents>,
    place: PartPlace,
    asked: Option<Instant>,
}

impl<P: SqlProjection> SqlParts<P> {
    /// Parts of the live generation of `projection`, with checkpoints and tables in `documents`.
    pub fn new(projection: P, documents: Arc<PostgresDocuments>) -> Self {
        Self::of(Arc::new(projection), documents)
    }

    pub(super) fn of(projection: Arc<P>, documents: Arc<PostgresDocuments>) -> Self {
        Self { projection, documents, building: None, turn: Arc::default() }
    }

    /// Parts of `generation`, which is being built.
    #[must_use]
    pub fn building(self, generation: SubscriberId) -> Self {
        Self { building: Some(generation), ..self }
    }

    /// A subscriber that runs `part`: a name that fits the grammar of [`SubscriberId`] behind that of the projection.
    pub fn part(
        &self,
        part: &str,
        mode: PartMode,
        kept: Arc<dyn ParkedEvents>,
        terms: LeaseTerms,
    ) -> Box<dyn Subscriber> {
        let place = PartPlace::new(self.documents.clone(), P::NAME, P::VERSION, part);
        let place = place.building(self.building.clone()).terms(terms);
        Box::new(SqlPart { parts: self.clone(), mode, kept, place, asked: None })
    }
}

impl<P: SqlProjection> SqlPart<P> {
    async fn turn(&self, into: &SubscriberId) -> Result<(MutexGuard<'_, ()>, Turn<'_>), CheckpointError> {
        let first_here = self.parts.turn.lock().await;
        Ok((first_here, self.parts.documents.begin_in_turn(into).await?))
    }

    /// Writes the page, with what is refused parked and kept before.
    async fn take_in(&self, page: &LogPage) -> Result<(), SubscriberError> {
        let (into, place) = self.place.running()?;
        let part = PartStep { projection: &*self.parts.projection, into, step: place.step(page.looked)? };
        // What comes again has been tried before.
        let attempts_max = if self.mode == PartMode::Again { 1 } else { REFUSED_ATTEMPTS_MAX };
        let (mut attempts, mut kept) = (1, HashSet::new());
        let mut waits =
            ExponentialBuilder::default().with_jitter().with_min_delay(REFUSED_RETRY_FIRST).build();
        loop {
            let told = tell::<P>(&page.events)?;
            let (first_here, turn) = self.turn(into).await?;
            let accepts = |park: &mut [Parked]| {
                let refused =
                    park.iter_mut().filter(|entry| !entry.error.is_empty() && self.mode != PartMode::Again);
                refused.for_each(|entry| entry.attempts = attempts);
                park.iter().all(|entry| kept.contains(&(entry.key.clone(), entry.position)))
            };
            let done = part.handle(turn, told, self.mode, accepts).await;
            drop(first_here);
            match done {
                Ok(parked) => {
                    tell_parked::<P>(&parked);
                    return Ok(());
                }
                Err(Undone::Failed(error)) => return Err(error.into()),
                Err(Undone::Parks(park)) => {
                    let refused = park.iter().any(|entry| !entry.error.is_empty());
                    if refused && attempts < attempts_max {
                        attempts += 1;
                        tokio::time::sleep(waits.next().unwrap_or(REFUSED_RETRY_FIRST)).await;
                    } else {
                        let fresh = |entry: &Parked| !kept.contains(&(entry.key.clone(), entry.position));
                        let fresh: Vec<Parked> = park.into_iter().filter(fresh).collect();
                        self.keep(page, &fresh).await?;
                        kept.extend(fresh.into_iter().map(|entry| (entry.key, entry.position)));
                    }
                }
            }
        }
    }

    /// Keeps what is about to be parked. No transaction waits for it.
    async fn keep(&self, page: &LogPage, park: &[Parked]) -> Result<(), StoreError> {
        let event_of = |entry: &Parked| page.events.iter().find(|event| event.position == entry.position);
        let kept: Vec<(&Parked, &RecordedEvent)> =
            park.iter().filter_map(|entry| Some((entry, event_of(entry)?))).collect();
        self.kept.keep(&kept).await
    }

    /// Carries out what operators asked for since the last look, which is at most [`TEND_INTERVAL`] ago.
    async fn answer_requests(&mut self) -> Result<(), SubscriberError> {
        if self.asked.is_some_and(|asked| asked.elapsed() < TEND_INTERVAL) {
            return Ok(());
        }
        let (into, place) = self.place.running()?;
        // What was kept may take a while to be read.
        place.renewing(self.answer(into, place)).await?;
        self.asked = Some(Instant::now());
        Ok(())
    }

    async fn answer(&self, into: &SubscriberId, place: &Place) -> Result<(), SubscriberError> {
        let documents = &self.parts.documents;
        let at = place.lease()?.checkpoint;
        let mut requests = documents.requests(into, PageLimit::DEFAULT).await?.into_iter().peekable();
        while requests.peek().is_some() {
            // So many are in memory at once, but for those of the last key.
            let (mut batch, mut wanted) = (vec![], vec![]);
            while wanted.len() < PageLimit::DEFAULT.get()
                && let Some(request) = requests.next()
            {
                let parked = documents.parked(into, Some(&request.key), None, PageLimit::DEFAULT).await?;
                wanted.extend_from_slice(request.divide(&parked).1);
                batch.push((request, parked));
            }
            let Some(mut found) = self.found(&wanted).await.map(Vec::into_iter) else { return Ok(()) };
            for (request, parked) in batch {
                let count = request.divide(&parked).1.len();
                let (asked, events) = asked(request, parked, found.by_ref().take(count).collect());
                let part = PartStep { projection: &*self.parts.projection, into, step: place.step(at)? };
                let told = tell::<P>(&events)?;
                let (_first_here, turn) = self.turn(into).await?;
                part.answer(turn, told, asked).await?;
            }
        }
        Ok(())
    }

    /// Parked events, as they were kept; none when that has to be asked again later, and what comes need not wait.
    async fn found(&self, wanted: &[Parked]) -> Option<Vec<Result<RecordedEvent, String>>> {
        if wanted.is_empty() {
            return Some(vec![]);
        }
        match self.kept.find(wanted).await {
            Ok(found) => Some(found),
            Err(error) if error.is_transient() => {
                let error = error_text(&error);
                tracing::warn!(subscriber = self.place.name(), %error, "parked events are looked for again later");
                None
            }
            // Each of them says so.
            Err(error) => Some(vec![Err(error_text(&error)); wanted.len()]),
        }
    }
}

/// What is to be done, and the events that are tried: those before the first that is not found.
fn asked(
    request: ParkedRequest,
    parked: Vec<Parked>,
    found: Vec<Result<RecordedEvent, String>>,
) -> (Asked, Vec<RecordedEvent>) {
    let (drops, tries) = request.divide(&parked);
    let (mut events, mut missing) = (vec![], None);
    for (entry, found) in tries.iter().zip(found) {
        match found {
            Ok(event) => events.push(event),
            Err(error) => {
                missing = Some(Parked { error, ..entry.clone() });
                break;
            }
        }
    }
    let (dropped, tried) = (drops.to_vec(), tries[..events.len()].to_vec());
    let again = Again { key: request.key.clone(), dropped, tried, missing };
    (Asked { request, parked, again }, events)
}

#[async_trait]
impl<P: SqlProjection> Subscriber for SqlPart<P> {
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
        let made = self.parts.documents.make_tables(&*self.parts.projection, into);
        place.renewing(async { Ok(made.await?) }).await?;
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
        if page.events.is_empty() {
            return self.place.advance(page.looked).await;
        }
        self.place.running()?.1.renewing(self.take_in(page)).await?;
        self.place.stepped(page.looked);
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

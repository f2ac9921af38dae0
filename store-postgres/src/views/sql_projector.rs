//! Runs a SQL projection as a subscriber of the log.

use super::{
    PostgresDocuments, SqlParts,
    generation::Generation,
    sql_rows::{tell, tell_parked},
    tables,
    transaction::{Halt, Transaction},
};
use crate::SqlProjection;
use annals::{
    DocumentStore, EventStore, GenerationState, LeaseTerms, LogFilter, LogPage, PageLimit, Place, Position,
    Registered, RegisteredParts, StoreError, Subscriber, SubscriberError, SubscriberId, TEND_INTERVAL,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::time::Instant;

/// Runs a [`SqlProjection`]: rows, parked events and the checkpoint of a page are written in one transaction, under the
/// lease. A runner that was paused and replaced writes nothing; one that is paused in the middle of a page holds it up
/// for [`IDLE_IN_TRANSACTION_MAX`](crate::IDLE_IN_TRANSACTION_MAX), then the server takes it back.
pub struct SqlProjector<P: SqlProjection> {
    projection: Arc<P>,
    store: Arc<dyn EventStore>,
    documents: Arc<PostgresDocuments>,
    place: Place,
    asked: Option<Instant>,
}

impl<P: SqlProjection> SqlProjector<P> {
    /// Runs the live generation of `projection`, with checkpoint and tables in `documents`.
    pub fn new(projection: Arc<P>, store: Arc<dyn EventStore>, documents: Arc<PostgresDocuments>) -> Self {
        let place = Place::live(documents.clone(), P::NAME, P::VERSION);
        Self { projection, store, documents, place, asked: None }
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

    /// For runners, [rebuilds](annals::Rebuild) and command lines, which must be given the same `documents`.
    pub fn registered(projection: P, documents: Arc<PostgresDocuments>) -> Registered {
        let projection = Arc::new(projection);
        let parts = SqlParts::of(projection.clone(), documents.clone());
        let registered = Registered::custom(P::NAME, P::VERSION, move |store, _, run| {
            let projector = Self::new(projection.clone(), store, documents.clone()).lease_terms(run.terms);
            let boxed: Box<dyn Subscriber> = match run.building {
                Some(generation) => Box::new(projector.building(generation)),
                None => Box::new(projector),
            };
            boxed
        });
        registered.with_parts(RegisteredParts::custom(
            LogFilter::of::<P::Event>(),
            move |part, mode, _, kept, terms| parts.part(part, mode, kept, terms),
        ))
    }

    async fn make_tables(&self) -> Result<(), SubscriberError> {
        Ok(self.documents.make_tables(&*self.projection, self.place.id()?).await?)
    }

    /// Carries out what operators asked for since the last look, which is at most [`TEND_INTERVAL`] ago.
    async fn answer_requests(&mut self) -> Result<(), SubscriberError> {
        if self.asked.is_some_and(|asked| asked.elapsed() < TEND_INTERVAL) {
            return Ok(());
        }
        for request in self.documents.requests(self.place.id()?, PageLimit::DEFAULT).await? {
            let at = self.place.step(Position::START)?.from;
            let step = self.place.step(at)?;
            self.documents.handle_again(&*self.projection, &*self.store, &step, &request).await?;
        }
        self.asked = Some(Instant::now());
        Ok(())
    }
}

impl PostgresDocuments {
    /// Makes the tables of generation `of` where it has none, and shows them if it is live.
    pub(super) async fn make_tables<P: SqlProjection>(
        &self,
        projection: &P,
        of: &SubscriberId,
    ) -> Result<(), StoreError> {
        let mut tx = self.begin("making the tables of a projection").await?;
        let done = create(&mut tx, projection, of).await;
        tx.end(done).await
    }
}

async fn create<P: SqlProjection>(
    tx: &mut Transaction<'_>,
    projection: &P,
    of: &SubscriberId,
) -> Result<(), Halt<StoreError>> {
    tx.rows(tx.sql().name_lock.query().bind(of.name())).await?;
    let found = Generation::seen::<StoreError>(tx, of).await?;
    if found.state == GenerationState::Retired {
        // Whoever writes there is told so.
        return Ok(());
    }
    if tables::are_there(tx, found.id).await? {
        return Ok(());
    }
    tables::add(tx, found.id).await?;
    tables::enter(tx, found.id).await?;
    projection.create(tx.connection()).await?;
    if found.state == GenerationState::Live {
        tables::show(tx, of.name(), found.id).await?;
    }
    Ok(())
}

#[async_trait]
impl<P: SqlProjection> Subscriber for SqlProjector<P> {
    fn name(&self) -> &str {
        P::NAME
    }

    fn filter(&self) -> LogFilter {
        LogFilter::of::<P::Event>()
    }

    async fn begin(&mut self) -> Result<Position, SubscriberError> {
        self.asked = None;
        let at = self.place.begin_from_log().await?;
        self.place.renewing(self.make_tables()).await?;
        Ok(at)
    }

    async fn handle(&mut self, page: &LogPage) -> Result<(), SubscriberError> {
        self.answer_requests().await?;
        if !self.place.is_next(page)? {
            return Ok(());
        }
        self.place.check_no_parts().await?;
        if page.events.is_empty() {
            return self.place.advance(page.looked).await;
        }
        let step = self.place.step(page.looked)?;
        let told = tell::<P>(&page.events)?;
        let parked = self.documents.handle_page(&*self.projection, &step, told, None).await?;
        tell_parked::<P>(&parked);
        self.place.stepped(page.looked);
        metrics::counter!("annals_events_handled", "subscriber" => P::NAME)
            .increment(page.events.len() as u64);
        Ok(())
    }

    async fn tend(&mut self) -> Result<(), SubscriberError> {
        self.place.renew().await?;
        self.answer_requests().await
    }

    async fn end(&mut self) -> Result<(), SubscriberError> {
        self.place.end().await
    }

    async fn report(&mut self, failure: Option<&str>) -> Result<(), StoreError> {
        self.place.report(failure).await
    }
}

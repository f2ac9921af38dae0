//! The whole shop over one log and its read models.

use crate::OrderSteps;
use annals::{
    Context, DocumentStore, Done, Engine, EventStore, ExecuteError, LeaseTerms, Policy, PolicyRunner,
    Position, Registered, SnapshotStore, Subscriber, wait_for,
};
use annals_postgres::{PostgresDocuments, PostgresOptions, PostgresStore, SqlProjector};
use annals_sqlite::{FileError, SqliteDocuments, SqliteOptions, SqliteStore, views_beside};
use northwind_aggregates::{Order, OrderCommand, OrderRejection};
use northwind_projections::{policies, read_models};
use std::{path::Path, sync::Arc, time::Duration};

/// How long all subscribers may take to come to the end of the log when nobody adds to it.
pub const DRAIN_MAX: Duration = Duration::from_secs(120);

/// Engine, policies and read models over one log.
#[derive(Clone)]
pub struct Shop {
    /// The log, as the engine and the subscribers see it.
    pub store: Arc<dyn EventStore>,
    /// The read side.
    pub documents: Arc<dyn DocumentStore>,
    /// The read side, where it is in PostgreSQL.
    pub postgres: Option<Arc<PostgresDocuments>>,
    /// Carries out commands.
    pub engine: Arc<Engine>,
}

impl Shop {
    /// Opens the log at `path` and the read models beside it, with snapshots.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        Self::open_through(path, |store| store)
    }

    /// Opens the log at `path`, and the read models in PostgreSQL at the URL `views` where one is given.
    pub async fn open_with(path: &Path, views: Option<&str>) -> anyhow::Result<Self> {
        let mut shop = Self::open(path)?;
        if let Some(url) = views {
            shop.reads(Arc::new(PostgresDocuments::open(&url.parse()?).await?));
        }
        Ok(shop)
    }

    /// As [`open`](Self::open), with something between the log and everybody who uses it.
    pub fn open_through(
        path: &Path,
        through: impl FnOnce(Arc<dyn EventStore>) -> Arc<dyn EventStore>,
    ) -> Result<Self, FileError> {
        let sqlite = Arc::new(SqliteStore::open(&SqliteOptions::new(path))?);
        let documents = Arc::new(SqliteDocuments::open(views_beside(path))?);
        Ok(Self::over(through(sqlite.clone()), documents, sqlite))
    }

    /// As [`open_through`](Self::open_through); `place` may also be the URL of a PostgreSQL database, which then holds
    /// the log, the snapshots and the read models.
    ///
    /// # Errors
    /// When the place is none, or cannot be opened.
    pub async fn open_at(
        place: &str,
        through: impl FnOnce(Arc<dyn EventStore>) -> Arc<dyn EventStore>,
    ) -> anyhow::Result<Self> {
        if !place.starts_with("postgres://") {
            return Ok(Self::open_through(Path::new(place), through)?);
        }
        let options: PostgresOptions = place.parse()?;
        let postgres = Arc::new(PostgresStore::open(&options).await?);
        let documents = Arc::new(PostgresDocuments::open(&options).await?);
        let mut shop = Self::over(through(postgres.clone()), documents.clone(), postgres);
        shop.reads(documents);
        Ok(shop)
    }

    fn over(
        store: Arc<dyn EventStore>,
        documents: Arc<dyn DocumentStore>,
        snapshots: Arc<dyn SnapshotStore>,
    ) -> Self {
        let engine = Arc::new(Engine::new(store.clone()).with_snapshots(snapshots));
        Self { store, documents, postgres: None, engine }
    }

    fn reads(&mut self, documents: Arc<PostgresDocuments>) {
        self.documents = documents.clone();
        self.postgres = Some(documents);
    }

    /// Places an order under its number, so that placing it again is the same command.
    pub async fn place(
        &self,
        number: &str,
        command: &OrderCommand,
    ) -> Result<Done, ExecuteError<OrderRejection>> {
        self.engine.execute::<Order>(number, command, Context::keyed(number)).await
    }

    /// Subscribers that keep the read models up to date.
    pub fn read_models(&self, terms: &LeaseTerms) -> Vec<Box<dyn Subscriber>> {
        let live = |model: Registered| model.live(self.store.clone(), self.documents.clone(), terms.clone());
        self.models().into_iter().map(live).collect()
    }

    /// The read models of the shop; in PostgreSQL one more, which has tables of its own.
    pub fn models(&self) -> Vec<Registered> {
        let steps = self.postgres.clone().map(|documents| SqlProjector::registered(OrderSteps, documents));
        read_models().into_iter().chain(steps).collect()
    }

    /// Subscribers that run the policies.
    pub fn policies(&self, terms: &LeaseTerms) -> Vec<Box<dyn Subscriber>> {
        vec![
            self.policy(policies::ReserveStock, terms),
            self.policy(policies::RecordReservations, terms),
            self.policy(policies::ReleaseStock, terms),
            self.policy(policies::ShipStock, terms),
            self.policy(policies::RestockReturns, terms),
        ]
    }

    fn policy(&self, policy: impl Policy, terms: &LeaseTerms) -> Box<dyn Subscriber> {
        let runner = PolicyRunner::new(policy, self.engine.clone(), self.documents.clone());
        Box::new(runner.lease_terms(terms.clone()))
    }

    /// Waits until read models and policies have handled everything, and nothing new came of it.
    ///
    /// # Errors
    /// When that takes longer than [`DRAIN_MAX`], with who is where.
    pub async fn drained(&self) -> Result<Position, annals::WaitError> {
        let terms = LeaseTerms::default();
        let all = self.policies(&terms).into_iter().chain(self.read_models(&terms));
        let names: Vec<String> = all.map(|subscriber| subscriber.name().to_string()).collect();
        let deadline = tokio::time::Instant::now() + DRAIN_MAX;
        loop {
            let head = self.head().await?;
            for name in &names {
                let left = deadline.saturating_duration_since(tokio::time::Instant::now());
                wait_for(&*self.documents, name, head, left).await?;
            }
            if self.head().await? == head {
                return Ok(head);
            }
        }
    }

    /// The last position there is now, whoever wrote it.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub async fn head(&self) -> Result<Position, annals::StoreError> {
        let nothing = annals::LogFilter::any_of([]);
        let page = self.store.read_log(Position::START, annals::PageLimit::ONE, &nothing).await?;
        Ok(page.head)
    }
}

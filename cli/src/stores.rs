//! The stores that a command works on.

mod place;
mod postgres;
mod settings;
mod sqlite;

pub(crate) use settings::Facts;
pub use settings::Settings;

use crate::{CliError, Global, Service};
use annals::{
    DocumentStore, EventStore, LogFilter, MemoryDocuments, MemoryStore, PageLimit, Position, SnapshotStore,
    StoreError, SubscriberId,
};
use annals_postgres::{PostgresDocuments, PostgresStore};
use annals_sqlite::{SqliteDocuments, SqliteStore};
use place::{Place, places};
use std::{fmt, path::PathBuf, sync::Arc};

/// The log, its snapshots, and the read models.
#[derive(Clone)]
pub struct Stores {
    /// The log.
    pub store: Arc<dyn EventStore>,
    /// Snapshots of long streams, where the store keeps them.
    pub snapshots: Option<Arc<dyn SnapshotStore>>,
    /// Documents, checkpoints, leases and parked events.
    pub documents: Arc<dyn DocumentStore>,
    integrity: Integrity,
    read_side: ReadSide,
}

/// Where the read models are, for those who want more of the place than its documents.
#[derive(Clone)]
enum ReadSide {
    /// What kind of store it is, for people.
    Other(&'static str),
    /// There are none yet, and whoever only looks makes none.
    Missing,
    /// In this file, which tells its settings.
    Sqlite(PathBuf, Arc<SqliteDocuments>),
    /// In a schema; the server tells its settings.
    Postgres(Arc<PostgresDocuments>),
}

/// Read models that were opened.
struct Views {
    documents: Arc<dyn DocumentStore>,
    read_side: ReadSide,
}

impl Views {
    fn memory() -> Self {
        Self { documents: Arc::new(MemoryDocuments::new()), read_side: ReadSide::Other("memory") }
    }

    fn missing() -> Self {
        Self { read_side: ReadSide::Missing, ..Self::memory() }
    }
}

/// What a store that a service brought along is called.
pub(crate) const OTHER: &str = "other";

/// How the integrity of the log is checked.
#[derive(Clone)]
enum Integrity {
    /// By reading it, as any store can be read.
    Reading {
        /// What kind of store it is, for people.
        store: &'static str,
    },
    /// By the store's own walk over its tables.
    Sqlite(Arc<SqliteStore>),
    /// By reading it; the server tells its settings.
    Postgres(Arc<PostgresStore>),
}

/// A log that was opened: with its snapshots, and how its integrity is checked.
struct Log {
    store: Arc<dyn EventStore>,
    snapshots: Option<Arc<dyn SnapshotStore>>,
    integrity: Integrity,
}

/// What a command does with files and tables that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks: a missing log is an error, missing read models are empty, and nothing is made.
    Look,
    /// It makes read models from the log, which must be there.
    Replay,
    /// It makes whatever is missing.
    Create,
}

impl Stores {
    /// Stores in memory: gone with the process.
    pub fn memory() -> Self {
        let store = Arc::new(MemoryStore::new());
        let integrity = Integrity::Reading { store: "memory" };
        Self::with(Log { store: store.clone(), snapshots: Some(store), integrity }, Views::memory())
    }

    /// Any stores, without snapshots.
    pub fn of(store: Arc<dyn EventStore>, documents: Arc<dyn DocumentStore>) -> Self {
        let integrity = Integrity::Reading { store: OTHER };
        Self { store, snapshots: None, documents, integrity, read_side: ReadSide::Other("other") }
    }

    /// Opens what the options name, or the files named for the service.
    ///
    /// # Errors
    /// Wrong usage when a URL is none that this program knows; a failure when a log that must be there is missing,
    /// a file cannot be opened, or a server cannot be used.
    pub async fn open(service: &Service, global: &Global, access: Access) -> Result<Self, CliError> {
        let (log, views) = places(service, global)?;
        let log = match log {
            Place::Memory => return Ok(Self::memory()),
            Place::Sqlite(log) => sqlite::open_log(service, &log, access)?,
            Place::Postgres(log) => postgres::open_log(service, &log, access).await?,
        };
        Ok(Self::with(log, Self::views(views, access).await?))
    }

    /// Opens the read models that the options name, to look, for a service that has no log: here it is an empty one.
    pub(crate) async fn read_models(service: &Service, global: &Global) -> Result<Self, CliError> {
        let (_, views) = places(service, global)?;
        Self::without_log(views, Access::Look).await
    }

    /// The same for whoever fills them, which makes what is missing.
    ///
    /// # Errors
    /// Also where nobody said where they are: beside a log are those of the log.
    pub(crate) async fn to_be_filled(service: &Service, global: &Global) -> Result<Self, CliError> {
        let refused = |reason: &str| {
            CliError::usage("--read-models", reason)
                .next("name a place of their own, as in --read-models sqlite:reporting.db")
        };
        let (_, views) = places(service, global)?;
        match (&views, &global.read_models) {
            (_, None) => Err(refused("it must be said where the read models are that topics fill")),
            (Place::Memory, _) => Err(refused("what is in memory would be gone with this program")),
            _ => Self::without_log(views, Access::Create).await,
        }
    }

    async fn without_log(views: Place, access: Access) -> Result<Self, CliError> {
        let store = Arc::new(MemoryStore::new());
        let log = Log { store, snapshots: None, integrity: Integrity::Reading { store: "memory" } };
        Ok(Self::with(log, Self::views(views, access).await?))
    }

    async fn views(place: Place, access: Access) -> Result<Views, CliError> {
        match place {
            Place::Memory => Ok(Views::memory()),
            Place::Sqlite(views) => sqlite::open_views(&views.path, access),
            Place::Postgres(views) => postgres::open_views(&views, access).await,
        }
    }

    /// Whether there is no log where the options say, or nothing in that place.
    pub(crate) async fn lack_log(service: &Service, global: &Global) -> Result<bool, CliError> {
        match places(service, global)?.0 {
            Place::Memory => Ok(false),
            Place::Sqlite(log) => Ok(sqlite::is_missing(&log.path)),
            Place::Postgres(log) => postgres::lacks_log(&log).await,
        }
    }

    /// The log, where it is in PostgreSQL.
    pub(crate) fn log_in_postgres(&self) -> Option<&PostgresStore> {
        match &self.integrity {
            Integrity::Postgres(store) => Some(store),
            _ => None,
        }
    }

    /// The read models, where there are some and they are in PostgreSQL.
    pub(crate) fn views_in_postgres(&self) -> Option<&PostgresDocuments> {
        match &self.read_side {
            ReadSide::Postgres(documents) => Some(documents),
            _ => None,
        }
    }

    /// Whether nothing was projected yet where the read models are to be.
    pub(crate) fn lack_read_models(&self) -> bool {
        matches!(self.read_side, ReadSide::Missing)
    }

    fn with(log: Log, views: Views) -> Self {
        let Log { store, snapshots, integrity } = log;
        let Views { documents, read_side } = views;
        Self { store, snapshots, documents, integrity, read_side }
    }

    /// The head of the log, read anew.
    pub async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await?.head)
    }

    /// Where `generation` stands; at the start, where it is gone.
    pub(crate) async fn place_of(&self, generation: &SubscriberId) -> Result<Position, StoreError> {
        let all = self.documents.subscribers().await?;
        let found = all.into_iter().find(|info| info.subscriber == *generation);
        Ok(found.map_or(Position::START, |info| info.checkpoint))
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stores")
    }
}

//! The stores that a command works on.

mod place;
mod postgres;
mod settings;
mod sqlite;

pub use settings::Settings;

use crate::{CliError, Global, Service};
use annals::{
    DocumentStore, EventStore, LogFilter, MemoryDocuments, MemoryStore, PageLimit, Position, SnapshotStore,
    StoreError,
};
use annals_postgres::PostgresStore;
use annals_sqlite::SqliteStore;
use place::{Place, places};
use std::{fmt, sync::Arc};

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
}

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
        Self::with(
            Log { store: store.clone(), snapshots: Some(store), integrity },
            Arc::new(MemoryDocuments::new()),
        )
    }

    /// Any stores, without snapshots.
    pub fn of(store: Arc<dyn EventStore>, documents: Arc<dyn DocumentStore>) -> Self {
        Self { store, snapshots: None, documents, integrity: Integrity::Reading { store: "other" } }
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
        let documents = match views {
            Place::Memory => Arc::new(MemoryDocuments::new()),
            Place::Sqlite(views) => sqlite::open_views(&views.path, access)?,
            Place::Postgres(views) => postgres::open_views(&views, access).await?,
        };
        Ok(Self::with(log, documents))
    }

    fn with(log: Log, documents: Arc<dyn DocumentStore>) -> Self {
        let Log { store, snapshots, integrity } = log;
        Self { store, snapshots, documents, integrity }
    }

    /// The head of the log, read anew.
    pub async fn head(&self) -> Result<Position, StoreError> {
        Ok(self.store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await?.head)
    }
}

impl fmt::Debug for Stores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Stores")
    }
}

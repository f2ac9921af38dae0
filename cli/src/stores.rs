//! The stores that a command works on.

mod place;
mod settings;
mod sqlite;

pub use settings::Settings;

use crate::{CliError, Global, Service};
use annals::{
    DocumentStore, EventStore, LogFilter, MemoryDocuments, MemoryStore, PageLimit, Position, SnapshotStore,
    StoreError,
};
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
}

/// What a command does with files that are missing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// It only looks: a missing log is an error, missing read models are empty, and no file is made.
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
        let documents = Arc::new(MemoryDocuments::new());
        let integrity = Integrity::Reading { store: "memory" };
        Self { store: store.clone(), snapshots: Some(store), documents, integrity }
    }

    /// Any stores, without snapshots.
    pub fn of(store: Arc<dyn EventStore>, documents: Arc<dyn DocumentStore>) -> Self {
        Self { store, snapshots: None, documents, integrity: Integrity::Reading { store: "other" } }
    }

    /// Opens what the options name, or the files named for the service.
    ///
    /// # Errors
    /// Wrong usage when a URL is none that this program knows; a failure when a log that must be there is missing,
    /// or a file cannot be opened.
    pub fn open(service: &Service, global: &Global, access: Access) -> Result<Self, CliError> {
        match places(service, global)? {
            (Place::Memory, _) => Ok(Self::memory()),
            (Place::Sqlite(log), Place::Sqlite(views)) => sqlite::open(service, &log, Some(&views), access),
            (Place::Sqlite(log), Place::Memory) => sqlite::open(service, &log, None, access),
        }
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

//! Documents, checkpoints, leases and parked events in one SQLite file.
//!
//! A file of its own, apart from the log: projections and rebuilds never hold the append lock up, and the read side
//! can be thrown away and rebuilt.

mod checkpoints;
mod compare;
mod connections;
mod documents;
mod generation;
mod halt;
mod lease;
mod page;
mod parked;
mod rebuild;

pub use connections::VIEW_READERS_MAX;

use crate::{FileError, Synchronous, open::FileKind};
use annals::StoreError;
use connections::Connections;
use halt::Halt;
use rusqlite::{Connection, Transaction};
use std::path::PathBuf;
use tokio::sync::watch;

/// What a file of read models is.
const VIEWS_FILE: FileKind = FileKind {
    what: "file of read models of annals",
    application_id: i32::from_be_bytes(*b"anlv"),
    migrations: &[include_str!("views/migrations/0001_views.sql")],
};

/// Keeps documents, checkpoints, leases and parked events in one SQLite file.
///
/// Any number of instances, in any number of processes of one host, may use the file at once. Writers take turns;
/// reads have connections of their own, see whole pages only, and hold nobody up. A file on a network is not
/// supported, as SQLite's WAL is not.
///
/// **Durability**: a killed process loses nothing. A power cut may lose the last pages (`synchronous = normal`),
/// each with its checkpoint, as they are one transaction: projections then fold those pages again, and policies
/// repeat their commands, which arrive as the ones they were. What an operator asked for in the last moment (a
/// request about parked events, a switch) may have to be asked for again. So one flush a page is saved, which is
/// most of the time that a small page takes. The log must lie in a file that keeps what it acknowledged: with
/// `synchronous=normal` there too, a power cut can leave checkpoints beyond the end of the log.
///
/// **Leases** run by the clock of the host. A clock that was set back prolongs a lease by its own length at most.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use annals::{Checkpoints, Position};
/// use annals_sqlite::{SqliteDocuments, views_beside};
/// # let dir = tempfile::tempdir()?;
/// # let log = dir.path().join("northwind.db");
/// let documents = SqliteDocuments::open(views_beside(&log))?;
/// let orders = documents.open("orders", 1).await?;
/// assert_eq!(orders.to_string(), "orders/1");
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteDocuments {
    connections: Connections,
    moved: watch::Sender<u64>,
}

impl SqliteDocuments {
    /// Opens the file at `path`; makes it when it is missing, its directory is not made.
    ///
    /// Blocks while the file is opened, and while another process prepares it.
    ///
    /// # Errors
    /// A file that holds anything else, or that a newer program wrote, is refused and left as it is.
    pub fn open(path: impl Into<PathBuf>) -> Result<Self, FileError> {
        Ok(Self { connections: Connections::open(path.into(), &VIEWS_FILE)?, moved: watch::Sender::new(0) })
    }

    /// When a page counts as durable, read back from the connection that writes: `Normal`, in every process.
    ///
    /// # Errors
    /// When the file cannot be used.
    pub async fn synchronous(&self) -> Result<Synchronous, StoreError> {
        let read = |connection: &mut Connection| {
            let number: i64 = connection.query_row("PRAGMA synchronous", [], |row| row.get(0))?;
            Ok(if number >= Synchronous::Full.number() { Synchronous::Full } else { Synchronous::Normal })
        };
        self.connections.write("reading the settings", read).await
    }

    /// Runs `act` in a transaction that writes. Dropping the future does not take back what has begun.
    ///
    /// Tells those who wait for [`moved`](annals::Checkpoints::moved) after each one: the few that moved no
    /// checkpoint make them look again, which does no harm.
    async fn write<T, E>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&Transaction<'_>) -> Result<T, Halt<E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<annals::StoreError> + Send + 'static,
    {
        let moved = self.moved.clone();
        let write = move |connection: &mut Connection| {
            let done = connections::transact(connection, act)?;
            moved.send_modify(|count| *count = count.wrapping_add(1));
            Ok(done)
        };
        self.connections.write(doing, write).await
    }

    /// Runs `act` in one snapshot, on a connection that cannot write.
    async fn read<T, E>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&Connection) -> Result<T, Halt<E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<annals::StoreError> + Send + 'static,
    {
        self.connections.read(doing, move |connection| connections::snapshot(connection, act)).await
    }
}

//! One connection that writes, a few that read, and the threads they block.

use super::halt::{Halt, store_error};
use crate::{
    FileError, Synchronous,
    open::{self, FileKind},
};
use annals::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::{
    fmt,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};
use tokio::{sync::Semaphore, task};

/// How many reads of one instance run at a time; further ones wait for their turn.
pub const VIEW_READERS_MAX: usize = 8;

/// After how many pages of 4 KiB the log file is copied back: 16 MiB, four times SQLite's default. Documents that
/// change in every page of events are copied less often: measured up to 1.4 times as fast with random keys.
const CHECKPOINT_PAGES: i64 = 4_000;

/// How many statements each connection keeps prepared; there are fewer.
const STATEMENTS_KEPT: usize = 64;

/// The connections to one file. Blocking work runs on the runtime's blocking threads; who waits for the writer
/// holds none of them, and waits in order of arrival.
pub(super) struct Connections {
    // Dropped before the writer, so that the writer is the last one and cleans up.
    idle: Arc<Mutex<Vec<Connection>>>,
    turns: Arc<Semaphore>,
    writer: Arc<tokio::sync::Mutex<Connection>>,
    path: Arc<PathBuf>,
}

impl Connections {
    pub(super) fn open(path: PathBuf, kind: &FileKind) -> Result<Self, FileError> {
        // Absolute, because later readers must find the same file in whatever directory the process is then.
        let path = std::path::absolute(&path).map_err(|source| FileError::Path { path, source })?;
        let writer = open::open_writer(&path, Synchronous::Normal, kind)?;
        open::set(&writer, &path, "wal_autocheckpoint", &CHECKPOINT_PAGES.to_string(), CHECKPOINT_PAGES)?;
        writer.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
        Ok(Self {
            idle: Arc::default(),
            turns: Arc::new(Semaphore::new(VIEW_READERS_MAX)),
            writer: Arc::new(tokio::sync::Mutex::new(writer)),
            path: Arc::new(path),
        })
    }

    /// Runs `act` on the connection that writes.
    pub(super) async fn write<T, E>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&mut Connection) -> Result<T, Halt<E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let mut writer = self.writer.clone().lock_owned().await;
        blocking(doing, move || act(&mut writer).map_err(|halt| halt.tell(doing))).await
    }

    /// Runs `act` on a connection that reads.
    pub(super) async fn read<T, E>(
        &self,
        doing: &'static str,
        act: impl FnOnce(&mut Connection) -> Result<T, Halt<E>> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let turn = self.turns.clone().acquire_owned().await.expect("nobody closes the semaphore");
        let (idle, path) = (self.idle.clone(), self.path.clone());
        blocking(doing, move || {
            let taken = idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let mut reader = match taken {
                Some(reader) => reader,
                None => open_reader(&path).map_err(|error| unopened(doing, error))?,
            };
            let done = act(&mut reader);
            // A connection that failed is closed rather than handed to the next.
            if !matches!(done, Err(Halt::Database(_))) {
                idle.lock().unwrap_or_else(PoisonError::into_inner).push(reader);
            }
            drop(turn);
            done.map_err(|halt| halt.tell(doing))
        })
        .await
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connections").field("path", &self.path).finish_non_exhaustive()
    }
}

fn open_reader(path: &Path) -> Result<Connection, FileError> {
    let reader = open::open_reader(path)?;
    reader.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(reader)
}

fn unopened(doing: &'static str, error: FileError) -> StoreError {
    match error {
        FileError::Failed { source, .. } => store_error(doing, source),
        other => StoreError::permanent(doing, other),
    }
}

/// Runs `act` in a transaction that holds the file's write lock from its start: so what it reads stays true, and
/// waiting for another process happens at one place.
pub(super) fn transact<T, E>(
    connection: &mut Connection,
    act: impl FnOnce(&Transaction<'_>) -> Result<T, Halt<E>>,
) -> Result<T, Halt<E>> {
    let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let done = act(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

/// Runs `act` in one snapshot of the file.
pub(super) fn snapshot<T, E>(
    connection: &mut Connection,
    act: impl FnOnce(&Connection) -> Result<T, Halt<E>>,
) -> Result<T, Halt<E>> {
    let transaction = connection.transaction()?;
    let done = act(&transaction)?;
    transaction.commit()?;
    Ok(done)
}

async fn blocking<T, E>(
    doing: &'static str,
    act: impl FnOnce() -> Result<T, E> + Send + 'static,
) -> Result<T, E>
where
    T: Send + 'static,
    E: From<StoreError> + Send + 'static,
{
    match task::spawn_blocking(act).await {
        Ok(done) => done,
        // The runtime is shutting down, or a defect in this crate: the transaction was taken back.
        Err(stopped) => Err(StoreError::transient(doing, stopped).into()),
    }
}

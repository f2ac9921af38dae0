//! One connection that writes, and a few that read.

use super::halt::Halt;
use crate::{
    FileError, Synchronous,
    error::UseError,
    open::{self, FileKind},
    threads::{Lost, Threads},
};
use annals::StoreError;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use std::path::{Path, PathBuf};

/// How many reads of one instance run at a time; further ones wait for their turn.
pub const VIEW_READERS_MAX: usize = 8;

/// After how many pages of 4 KiB the log file is copied back: 16 MiB, four times SQLite's default. Documents that
/// change in every page of events are copied less often: measured up to 1.4 times as fast with random keys.
const CHECKPOINT_PAGES: i64 = 4_000;

/// How many statements each connection keeps prepared; there are fewer.
const STATEMENTS_KEPT: usize = 64;

/// The connections to one file, each on a thread of its own. Who waits for the writer waits in order of arrival.
#[derive(Debug)]
pub(super) struct Connections {
    readers: Threads<Connection>,
    writer: Threads<Connection>,
    path: PathBuf,
}

impl Connections {
    pub(super) fn open(path: PathBuf, kind: &'static FileKind) -> Result<Self, FileError> {
        // Absolute, because later readers must find the same file in whatever directory the process is then.
        let path = std::path::absolute(&path).map_err(|source| FileError::Path { path, source })?;
        let failed = |source| FileError::Path { path: path.clone(), source };
        let writer = {
            let path = path.clone();
            Threads::new("annals-views", 1, move || open_writer(&path, kind))
        };
        let writer = writer.with(open_writer(&path, kind)?).map_err(failed)?;
        let readers = {
            let path = path.clone();
            Threads::new("annals-views-reader", VIEW_READERS_MAX, move || open_reader(&path))
        };
        Ok(Self { readers, writer, path })
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
        // A transaction that was taken back leaves the connection as it was.
        self.told(doing, self.writer.run(|_| true, act).await)
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
        // A connection that failed is closed rather than handed to the next.
        let sound = |done: &Result<T, Halt<E>>| !matches!(done, Err(Halt::Database(_)));
        self.told(doing, self.readers.run(sound, act).await)
    }

    /// What became of work on a thread, as the caller gets it.
    fn told<T, E: From<StoreError>>(
        &self,
        doing: &'static str,
        done: Result<Result<T, Halt<E>>, Lost>,
    ) -> Result<T, E> {
        match done {
            Ok(done) => done.map_err(|halt| halt.tell(&self.path, doing)),
            Err(Lost::Unopened(FileError::Failed { source, .. })) => {
                Err(UseError::told(&self.path, doing, source).into())
            }
            Err(Lost::Unopened(error)) => Err(StoreError::permanent(doing, error).into()),
            // A defect in this crate: the transaction was taken back.
            Err(Lost::Thread(error)) => Err(StoreError::transient(doing, error).into()),
        }
    }
}

impl Drop for Connections {
    fn drop(&mut self) {
        // The writer last: it then finds itself alone, and leaves one file.
        self.readers.close();
        self.writer.close();
    }
}

fn open_writer(path: &Path, kind: &FileKind) -> Result<Connection, FileError> {
    let writer = open::open_writer(path, Synchronous::Normal, kind)?;
    open::set(&writer, path, "wal_autocheckpoint", &CHECKPOINT_PAGES.to_string(), CHECKPOINT_PAGES)?;
    writer.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(writer)
}

fn open_reader(path: &Path) -> Result<Connection, FileError> {
    let reader = open::open_reader(path)?;
    reader.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(reader)
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

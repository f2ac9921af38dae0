//! Opening a file: it is ours or it is left alone, and every setting that durability rests on has taken.

use crate::{FileError, Synchronous, probe::refuse_foreign};
use rusqlite::{Connection, ErrorCode, OpenFlags, Transaction, TransactionBehavior};
use std::{
    path::{Path, PathBuf},
    thread,
    time::{Duration, Instant},
};

/// The oldest SQLite that is used: earlier ones can corrupt a file in WAL mode.
pub const LIBRARY_VERSION_MIN: &str = "3.51.3";

const LIBRARY_NUMBER_MIN: i32 = 3_051_003;

/// How long a statement waits for another process that holds the file, in all. After that it fails with an error
/// that is transient and says who is waited for.
pub const BUSY_WAIT_MAX: Duration = Duration::from_secs(5);

/// How long one look at a held file waits before the next: short, because a busy writer lets go only briefly.
const BUSY_PAUSE: Duration = Duration::from_micros(500);

/// How long opening tries again while other processes open the same new file.
const OPEN_WAIT_MAX: Duration = Duration::from_secs(20);

/// The page cache of the connection that writes, in KiB.
const WRITER_CACHE_KIB: i64 = 4 << 10;

/// The page cache of a connection that reads, in KiB. The bundled SQLite keeps the pages of all connections of a
/// process in one list and lets each take from the others, so the sum counts: with 8 MiB each the memory of a replay
/// kept growing from 10⁵ to 10⁶ events. What is not found here is found in the cache of the operating system.
const READER_CACHE_KIB: i64 = 1 << 10;

/// A log file that has grown larger than this is cut back at a checkpoint, in bytes.
const WAL_BYTES_KEPT: i64 = 64 << 20;

/// What a file holds, and how its tables came to be.
pub(crate) struct FileKind {
    /// As errors name it: `event log`.
    pub(crate) what: &'static str,
    /// Marks the file as ours: `PRAGMA application_id`.
    pub(crate) application_id: i32,
    /// Each is applied once, in order; their number is the `PRAGMA user_version`. Never edited once merged.
    pub(crate) migrations: &'static [&'static str],
}

/// Opens `path` for writing; makes the file, and applies the migrations that it lacks.
///
/// A file that holds anything else is left byte for byte as it is. Any number of processes may start at once.
pub(crate) fn open_writer(
    path: &Path,
    synchronous: Synchronous,
    kind: &FileKind,
) -> Result<Connection, FileError> {
    check_library()?;
    let path = absolute(path)?;
    let began = Instant::now();
    loop {
        match try_open(&path, synchronous, kind) {
            // Switching to WAL does not always ask the busy handler: whoever comes second tries again.
            Err(FileError::Failed { source, .. }) if is_busy(&source) && began.elapsed() < OPEN_WAIT_MAX => {
                thread::sleep(BUSY_PAUSE);
            }
            done => return done,
        }
    }
}

/// Opens a file that a writer of this process holds open, for reading only.
pub(crate) fn open_reader(path: &Path) -> Result<Connection, FileError> {
    let path = absolute(path)?;
    let failed = |source| FileError::failed(&path, "opening it for reading", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&path, flags).map_err(failed)?;
    connection.busy_handler(Some(wait_while_busy)).map_err(failed)?;
    set(&connection, &path, "cache_size", &format!("-{READER_CACHE_KIB}"), -READER_CACHE_KIB)?;
    set(&connection, &path, "query_only", "on", 1)?;
    Ok(connection)
}

fn try_open(path: &Path, synchronous: Synchronous, kind: &FileKind) -> Result<Connection, FileError> {
    refuse_foreign(path, kind)?;
    let failed = |source| FileError::failed(path, "opening it", source);
    let flags =
        OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_handler(Some(wait_while_busy)).map_err(failed)?;
    // SQLite opens a file that may not be written for reading, and says nothing.
    if connection.is_readonly("main").map_err(failed)? {
        return Err(FileError::ReadOnly { path: path.into() });
    }
    set(&connection, path, "foreign_keys", "on", 1)?;
    set(&connection, path, "synchronous", synchronous.pragma(), synchronous.number())?;
    set(&connection, path, "cache_size", &format!("-{WRITER_CACHE_KIB}"), -WRITER_CACHE_KIB)?;
    set(&connection, path, "journal_size_limit", &WAL_BYTES_KEPT.to_string(), WAL_BYTES_KEPT)?;
    // Before the switch to WAL: so the mark is in the file itself from its first byte on, and a crash in between
    // leaves an empty file or a marked one.
    migrate(&connection, path, kind)?;
    let mode: String = connection
        .query_row("PRAGMA journal_mode = wal", [], |row| row.get(0))
        .map_err(|source| FileError::failed(path, "switching it to WAL", source))?;
    took(path, "journal_mode", "wal", &mode)?;
    Ok(connection)
}

fn migrate(connection: &Connection, path: &Path, kind: &FileKind) -> Result<(), FileError> {
    let failed = |source| FileError::failed(path, "preparing its tables", source);
    if migrations_applied(connection, path, kind)? == kind.migrations.len() {
        return Ok(());
    }
    let transaction =
        Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failed)?;
    // Read again under the lock: another process may have been faster.
    let applied = version(&transaction, path, kind)?;
    for migration in &kind.migrations[applied..] {
        transaction.execute_batch(migration).map_err(failed)?;
    }
    transaction.pragma_update(None, "application_id", kind.application_id).map_err(failed)?;
    transaction.pragma_update(None, "user_version", kind.migrations.len() as i64).map_err(failed)?;
    transaction.commit().map_err(failed)
}

/// How many migrations the file has seen; refuses one that is not ours or too new.
pub(crate) fn migrations_applied(
    connection: &Connection,
    path: &Path,
    kind: &FileKind,
) -> Result<usize, FileError> {
    // One snapshot for all: between two reads another process may make the file ours.
    let snapshot = connection.unchecked_transaction();
    version(&snapshot.map_err(|source| FileError::failed(path, "reading what it is", source))?, path, kind)
}

fn version(connection: &Transaction<'_>, path: &Path, kind: &FileKind) -> Result<usize, FileError> {
    let number = |pragma: &str| -> Result<i64, FileError> {
        let read = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0));
        read.map_err(|source| FileError::failed(path, "reading what it is", source))
    };
    let (mark, version) = (number("application_id")?, number("user_version")?);
    if mark == 0 && version == 0 && number("schema_version")? == 0 {
        return Ok(0);
    }
    if mark != i64::from(kind.application_id) {
        return Err(FileError::foreign(path, kind, "it is another SQLite database"));
    }
    let known = kind.migrations.len();
    match usize::try_from(version) {
        Ok(version) if version <= known => Ok(version),
        _ => Err(FileError::Newer { path: path.into(), what: kind.what, version, known }),
    }
}

/// Sets a pragma and reads it back.
pub(crate) fn set(
    connection: &Connection,
    path: &Path,
    pragma: &'static str,
    value: &str,
    expected: i64,
) -> Result<(), FileError> {
    let failed = |source| FileError::failed(path, "changing its settings", source);
    connection.execute_batch(&format!("PRAGMA {pragma} = {value}")).map_err(failed)?;
    let got: i64 = connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0)).map_err(failed)?;
    took(path, pragma, &expected.to_string(), &got.to_string())
}

fn took(path: &Path, setting: &'static str, wanted: &str, got: &str) -> Result<(), FileError> {
    if wanted == got {
        return Ok(());
    }
    Err(FileError::Setting { path: path.into(), setting, wanted: wanted.into(), got: got.into() })
}

fn check_library() -> Result<(), FileError> {
    if rusqlite::version_number() >= LIBRARY_NUMBER_MIN {
        return Ok(());
    }
    Err(FileError::Library { found: rusqlite::version(), needed: LIBRARY_VERSION_MIN })
}

/// Absolute, because SQLite reads a path that begins with `file:` or `:memory:` in its own way.
fn absolute(path: &Path) -> Result<PathBuf, FileError> {
    std::path::absolute(path).map_err(|source| FileError::Path { path: path.into(), source })
}

pub(crate) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// SQLite asks this whenever the file is held; `waited` counts how often for one statement.
pub(crate) fn wait_while_busy(waited: i32) -> bool {
    if BUSY_PAUSE.saturating_mul(waited.unsigned_abs()) >= BUSY_WAIT_MAX {
        return false;
    }
    thread::sleep(BUSY_PAUSE);
    true
}

#[cfg(test)]
mod tests;

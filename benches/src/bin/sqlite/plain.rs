//! The plain rusqlite program: what the same tables allow to somebody who needs nothing that annals promises.
//!
//! One thread, one connection, numbers counted in memory, nothing checked, nobody answered.

mod appends;
mod reads;
mod replays;

pub(crate) use appends::PlainLog;
pub(crate) use reads::PlainReader;
pub(crate) use replays::PlainReplay;

use annals_sqlite::{SqliteOptions, SqliteStore};
use anyhow::Context;
use rusqlite::{Connection, OpenFlags};
use std::path::Path;

/// Makes a log with today's tables, and opens it with the settings of the store.
fn log(path: &Path) -> anyhow::Result<Connection> {
    drop(SqliteStore::open(&SqliteOptions::new(path))?);
    writer(path, "full")
}

fn writer(path: &Path, synchronous: &str) -> anyhow::Result<Connection> {
    let connection = Connection::open(path).with_context(|| format!("cannot open {}", path.display()))?;
    connection.execute_batch(&format!(
        "PRAGMA foreign_keys = on; PRAGMA synchronous = {synchronous};
         PRAGMA cache_size = -8192; PRAGMA journal_size_limit = 67108864"
    ))?;
    Ok(connection)
}

fn reader(path: &Path) -> anyhow::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.execute_batch("PRAGMA cache_size = -8192; PRAGMA query_only = on")?;
    Ok(connection)
}

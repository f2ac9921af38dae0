//! What a file promises, read back from it.

use super::{SqliteStore, reader::Reader};
use annals::StoreError;
use rusqlite::Result;
use std::path::PathBuf;

/// What the file promises, read back from it: for people who want to see it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SqliteSettings {
    /// The file.
    pub path: PathBuf,
    /// The version of the SQLite library.
    pub library: &'static str,
    /// `wal`, or opening would have failed.
    pub journal_mode: String,
    /// `full` or `normal`: see [`Synchronous`](crate::Synchronous). It is that of this store, as its options say;
    /// another process that appends to the file has its own.
    pub synchronous: &'static str,
    /// How many migrations the file has seen.
    pub layout: i64,
    /// The size of a page, in bytes.
    pub page_bytes: i64,
    /// How many pages the file has.
    pub pages: i64,
    /// How many of them are unused.
    pub pages_free: i64,
}

impl SqliteStore {
    /// Reads the settings back from the file.
    pub async fn settings(&self) -> std::result::Result<SqliteSettings, StoreError> {
        let mut settings = self.readers.here("reading the settings", |reader| read(reader)).await?;
        // Checked on the writer's own connection when it was opened; it belongs to the connection, not to the file.
        settings.synchronous = self.options.synchronous.pragma();
        settings.path.clone_from(&self.options.path);
        Ok(settings)
    }
}

fn read(reader: &Reader) -> Result<SqliteSettings> {
    let number =
        |pragma: &str| reader.connection().query_row(&format!("PRAGMA {pragma}"), [], |row| row.get(0));
    Ok(SqliteSettings {
        path: PathBuf::new(),
        library: rusqlite::version(),
        journal_mode: reader.connection().query_row("PRAGMA journal_mode", [], |row| row.get(0))?,
        synchronous: "",
        layout: number("user_version")?,
        page_bytes: number("page_size")?,
        pages: number("page_count")?,
        pages_free: number("freelist_count")?,
    })
}

//! Stores in SQLite files.

use super::{Access, Integrity, Stores};
use crate::{CliError, Service};
use annals::{DocumentStore, MemoryDocuments};
use annals_sqlite::{FileError, SqliteDocuments, SqliteOptions, SqliteStore};
use std::{fs, path::Path, sync::Arc};

/// Opens the log in a file; its read models in another, or in memory where there is none.
pub(super) fn open(
    service: &Service,
    log: &SqliteOptions,
    views: Option<&SqliteOptions>,
    access: Access,
) -> Result<Stores, CliError> {
    if access != Access::Create && is_missing(&log.path) {
        let missing = CliError::failed(log.path.display(), "there is no event log in it");
        return Err(missing.next(service.first_step()));
    }
    let store = Arc::new(SqliteStore::open(log).map_err(|error| refused(&log.path, &error))?);
    let documents: Arc<dyn DocumentStore> = match views {
        // Nothing was projected yet, and looking makes no file.
        Some(views) if access == Access::Look && is_missing(&views.path) => Arc::new(MemoryDocuments::new()),
        Some(views) => {
            let opened = SqliteDocuments::open(&views.path);
            Arc::new(opened.map_err(|error| refused(&views.path, &error))?)
        }
        None => Arc::new(MemoryDocuments::new()),
    };
    let integrity = Integrity::Sqlite(store.clone());
    Ok(Stores { store: store.clone(), snapshots: Some(store), documents, integrity })
}

/// Whether nothing is there, or an empty file, which would become a database when it is opened.
fn is_missing(path: &Path) -> bool {
    fs::metadata(path).map_or_else(
        // What cannot be looked at is there: opening it says why.
        |error| error.kind() == std::io::ErrorKind::NotFound,
        |file| file.is_file() && file.len() == 0,
    )
}

fn refused(path: &Path, error: &FileError) -> CliError {
    let text = annals::error_text(error);
    let shown = path.display().to_string();
    let reason = text.strip_prefix(&shown).map_or(text.as_str(), str::trim_start);
    CliError::failed(shown, reason)
}

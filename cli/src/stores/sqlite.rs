//! Stores in SQLite files.

use super::{Access, Integrity, Log, ReadSide, Views};
use crate::{CliError, Service};
use annals_sqlite::{FileError, SqliteDocuments, SqliteOptions, SqliteStore};
use std::{fs, path::Path, sync::Arc};

/// Opens the log in a file.
pub(super) fn open_log(service: &Service, log: &SqliteOptions, access: Access) -> Result<Log, CliError> {
    if access != Access::Create && is_missing(&log.path) {
        let missing = CliError::failed(log.path.display(), "there is no event log in it");
        return Err(missing.next(service.first_step()));
    }
    let store = Arc::new(SqliteStore::open(log).map_err(|error| refused("--store", &log.path, &error))?);
    Ok(Log { store: store.clone(), snapshots: Some(store.clone()), integrity: Integrity::Sqlite(store) })
}

/// Opens the read models in a file.
pub(super) fn open_views(views: &Path, access: Access) -> Result<Views, CliError> {
    if access == Access::Look && is_missing(views) {
        // Nothing was projected yet, and looking makes no file.
        return Ok(Views::missing());
    }
    let documents = SqliteDocuments::open(views).map_err(|error| refused("--read-models", views, &error))?;
    let documents = Arc::new(documents);
    Ok(Views { documents: documents.clone(), read_side: ReadSide::Sqlite(views.into(), documents) })
}

/// Whether nothing is there, or an empty file, which would become a database when it is opened.
pub(super) fn is_missing(path: &Path) -> bool {
    fs::metadata(path).map_or_else(
        // What cannot be looked at is there: opening it says why.
        |error| error.kind() == std::io::ErrorKind::NotFound,
        |file| file.is_file() && file.len() == 0,
    )
}

fn refused(option: &str, path: &Path, error: &FileError) -> CliError {
    let text = annals::error_text(error);
    let shown = path.display().to_string();
    let reason = text.strip_prefix(&shown).map_or(text.as_str(), str::trim_start);
    let refused = CliError::failed(shown, reason);
    match error {
        FileError::Foreign { .. } => {
            refused.next(format_args!("name another file with {option} sqlite:FILE"))
        }
        FileError::Newer { .. } => refused.next("use the newer version of this program"),
        FileError::ReadOnly { .. } => {
            refused.next("allow this user to write the file and its directory, or copy it elsewhere")
        }
        FileError::Path { .. } => refused.next("check the path and the rights of this user"),
        FileError::Failed { next_step, .. } => refused.next(next_step),
        // What is left says in its reason what is to be done.
        _ => refused,
    }
}

//! Looking at a file before anything could change it.

use crate::{
    FileError,
    open::{FileKind, migrations_applied, wait_while_busy},
};
use rusqlite::{Connection, ErrorCode, OpenFlags, ffi};
use std::{fs, io::ErrorKind, path::Path};

/// Refuses a file that holds something else, without a byte written to it.
///
/// SQLite itself opens it, never `std::fs`: closing a file that this process also holds through SQLite would
/// drop SQLite's locks on it.
pub(crate) fn refuse_foreign(path: &Path, kind: &FileKind) -> Result<(), FileError> {
    match fs::metadata(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(FileError::Path { path: path.into(), source }),
        Ok(found) if found.is_dir() => return Err(FileError::foreign(path, kind, "it is a directory")),
        Ok(found) if !found.is_file() => {
            return Err(FileError::foreign(path, kind, "it is not a regular file"));
        }
        Ok(found) if found.len() == 0 => return Ok(()),
        // SQLite takes a file of one byte for an empty one, and would write over it.
        Ok(found) if found.len() == 1 => {
            return Err(FileError::foreign(path, kind, "it is not a SQLite database"));
        }
        Ok(_) => {}
    }
    let looked = look(path, kind);
    match &looked {
        Err(FileError::Failed { source, .. }) => match source.sqlite_error() {
            Some(error) if error.code == ErrorCode::NotADatabase => {
                Err(FileError::foreign(path, kind, "it is not a SQLite database"))
            }
            // A crash left a rollback journal, which only a writer can apply: it looks again after that.
            Some(error) if error.extended_code == ffi::SQLITE_READONLY_ROLLBACK => Ok(()),
            _ => looked,
        },
        _ => looked,
    }
}

fn look(path: &Path, kind: &FileKind) -> Result<(), FileError> {
    let failed = |source| FileError::failed(path, "looking what it is", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags).map_err(failed)?;
    connection.busy_handler(Some(wait_while_busy)).map_err(failed)?;
    migrations_applied(&connection, path, kind).map(|_| ())
}

//! What follows from an error of the writer.

use annals::StoreError;
use rusqlite::{Error, ErrorCode, ffi};
use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

/// Why a batch of appends was not written. Nothing of it is in the log, unless the disk failed.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{} could not be appended to: {source}; {next_step}", path.display())]
pub struct WriteFailed {
    path: PathBuf,
    consequence: Consequence,
    next_step: &'static str,
    #[source]
    source: Arc<Error>,
}

/// What follows from an error of the writer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Consequence {
    /// The same append may go through later.
    Again,
    /// It will not, until somebody mends something; then the writer goes on.
    Refuse,
    /// Nobody knows what the disk holds: this writer must not append any more.
    Poison,
}

/// An id, a version or a position was there already.
pub(super) fn is_taken(error: &Error) -> bool {
    error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation)
}

pub(super) fn consequence(error: &Error) -> Consequence {
    let Some(found) = error.sqlite_error() else { return Consequence::Refuse };
    match found.code {
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Consequence::Again,
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => Consequence::Poison,
        ErrorCode::SystemIoFailure => match found.extended_code {
            // The index of the write-ahead log could not grow: nothing was written yet.
            ffi::SQLITE_IOERR_SHMSIZE | ffi::SQLITE_IOERR_SHMMAP | ffi::SQLITE_IOERR_NOMEM => {
                Consequence::Refuse
            }
            // A flush that failed may have lost what it should have kept, and a second one would say nothing of it.
            _ => Consequence::Poison,
        },
        _ => Consequence::Refuse,
    }
}

impl WriteFailed {
    pub(super) fn new(path: &Path, consequence: Consequence, source: Error) -> Self {
        let next_step = match (source.sqlite_error_code(), consequence) {
            (_, Consequence::Again) => "another process holds it: try again, or end that process",
            (_, Consequence::Poison) => {
                "the writer has stopped, because nobody knows what the disk kept: look at the disk, then open the store \
                 again; every acknowledged append that the disk still has is found"
            }
            (Some(ErrorCode::DiskFull), _) => "the disk is full: make room, then append again",
            (Some(ErrorCode::ReadOnly), _) => "allow this user to write the file and its directory",
            (Some(ErrorCode::ConstraintViolation), _) => "the log contradicts itself: run check",
            _ => "nothing was written; look at the disk, then append again",
        };
        Self { path: path.into(), consequence, next_step, source: Arc::new(source) }
    }

    pub(super) fn store_error(&self) -> StoreError {
        match self.consequence {
            Consequence::Again => StoreError::transient("appending", self.clone()),
            Consequence::Refuse | Consequence::Poison => StoreError::permanent("appending", self.clone()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(extended: i32) -> Error {
        Error::SqliteFailure(ffi::Error::new(extended), None)
    }

    #[test]
    fn a_failed_flush_stops_the_writer_and_a_full_disk_does_not() {
        for (code, expected, says) in [
            (ffi::SQLITE_BUSY, Consequence::Again, "another process holds it"),
            (ffi::SQLITE_FULL, Consequence::Refuse, "make room"),
            (ffi::SQLITE_READONLY, Consequence::Refuse, "allow this user"),
            (ffi::SQLITE_IOERR_SHMSIZE, Consequence::Refuse, "nothing was written"),
            (ffi::SQLITE_IOERR_FSYNC, Consequence::Poison, "open the store again"),
            (ffi::SQLITE_IOERR_WRITE, Consequence::Poison, "open the store again"),
            (ffi::SQLITE_CORRUPT, Consequence::Poison, "open the store again"),
        ] {
            assert_eq!(consequence(&error(code)), expected, "{code}");
            let failed = WriteFailed::new(Path::new("/var/shop.db"), expected, error(code));
            let message = failed.to_string();
            assert!(message.contains("/var/shop.db") && message.contains(says), "{message}");
            assert_eq!(failed.store_error().is_transient(), expected == Consequence::Again);
        }
    }
}

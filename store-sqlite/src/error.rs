//! Why a file could not be opened.

use crate::open::FileKind;
use annals::StoreError;
use rusqlite::ErrorCode;
use std::{
    io,
    path::{Path, PathBuf},
};

/// Why a file could not be opened as a database of annals. Whatever it held is as it was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum FileError {
    /// The file holds something else.
    #[error("{} holds no {what}: {reason}; it was left as it is, name another file", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What was expected in it.
        what: &'static str,
        /// What it is instead.
        reason: &'static str,
    },
    /// A newer program wrote it.
    #[error("{} holds the {what} in layout {version}, this program knows up to {known}: update the program", path.display())]
    Newer {
        /// The file.
        path: PathBuf,
        /// What it holds.
        what: &'static str,
        /// Its layout.
        version: i64,
        /// The newest layout known here.
        known: usize,
    },
    /// The file or its directory may not be written.
    #[error("{} is read-only: allow this user to write the file and its directory, or copy it elsewhere", path.display())]
    ReadOnly {
        /// The file.
        path: PathBuf,
    },
    /// A setting that durability rests on did not take.
    #[error(
        "{} has {setting} {got}, not {wanted}: keep it on a local disk, and see that no other program opens it with other settings",
        path.display()
    )]
    Setting {
        /// The file.
        path: PathBuf,
        /// The name of the pragma.
        setting: &'static str,
        /// What was asked for.
        wanted: String,
        /// What SQLite answered.
        got: String,
    },
    /// The SQLite that the program was linked with is too old.
    #[error("SQLite {found} is too old, at least {needed} is needed: build with the bundled one")]
    Library {
        /// Its version.
        found: &'static str,
        /// The oldest one that will do.
        needed: &'static str,
    },
    /// The path leads nowhere.
    #[error("{} cannot be reached: {source}; check the path and the rights of this user", path.display())]
    Path {
        /// The file.
        path: PathBuf,
        /// What the operating system said.
        #[source]
        source: io::Error,
    },
    /// SQLite failed.
    #[error("{} failed while {doing}: {source}; {next_step}", path.display())]
    Failed {
        /// The file.
        path: PathBuf,
        /// What was being done.
        doing: &'static str,
        /// What to do about it.
        next_step: &'static str,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
}

impl FileError {
    pub(crate) fn foreign(path: &Path, kind: &FileKind, reason: &'static str) -> Self {
        Self::Foreign { path: path.into(), what: kind.what, reason }
    }

    pub(crate) fn failed(path: &Path, doing: &'static str, source: rusqlite::Error) -> Self {
        let next_step = next_step(&source);
        Self::Failed { path: path.into(), doing, next_step, source }
    }
}

/// SQLite failed on a file that is open.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}; {next_step}", path.display())]
pub(crate) struct UseError {
    path: PathBuf,
    next_step: &'static str,
    #[source]
    source: rusqlite::Error,
}

impl UseError {
    /// As the caller of a store gets it: `doing` continues "the store failed while".
    pub(crate) fn told(path: &Path, doing: &'static str, source: rusqlite::Error) -> StoreError {
        let may_pass = matches!(
            source.sqlite_error_code(),
            Some(
                ErrorCode::DatabaseBusy
                    | ErrorCode::DatabaseLocked
                    | ErrorCode::DiskFull
                    | ErrorCode::OperationInterrupted
            )
        );
        let error = Self { path: path.into(), next_step: next_step(&source), source };
        if may_pass { StoreError::transient(doing, error) } else { StoreError::permanent(doing, error) }
    }
}

fn next_step(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::CannotOpen) => "check that the directory exists and that this user may write to it",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => {
            "another program holds it: end that program, or try again later"
        }
        Some(ErrorCode::DiskFull) => "the disk is full: make room and try again",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            "allow this user to write the file and its directory"
        }
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => {
            "the file is damaged: restore it from a backup"
        }
        Some(_) => "look at the disk, then start again",
        None => "a newer program wrote it, or it is damaged: update the program, or restore it from a backup",
    }
}

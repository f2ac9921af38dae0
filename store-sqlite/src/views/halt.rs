//! Why a transaction is taken back.

use crate::error::UseError;
use annals::{PageLimit, StoreError};
use chrono::{DateTime, Utc};
use rusqlite::{Row, types};
use std::path::Path;

/// Why a transaction is taken back: the database failed, or what was asked for is refused.
pub(super) enum Halt<E> {
    Database(rusqlite::Error),
    Refused(E),
}

impl<E> From<rusqlite::Error> for Halt<E> {
    fn from(error: rusqlite::Error) -> Self {
        Self::Database(error)
    }
}

impl<E> From<types::FromSqlError> for Halt<E> {
    fn from(error: types::FromSqlError) -> Self {
        Self::Database(error.into())
    }
}

impl<E: From<StoreError>> Halt<E> {
    /// As the caller gets it; `doing` continues "the store failed while".
    pub(super) fn tell(self, path: &Path, doing: &'static str) -> E {
        match self {
            Self::Refused(refused) => refused,
            Self::Database(error) => UseError::told(path, doing, error).into(),
        }
    }
}

/// A limit as SQLite takes it.
pub(super) fn rows(limit: PageLimit) -> i64 {
    i64::try_from(limit.get()).unwrap_or(i64::MAX)
}

/// A stored time, in microseconds.
pub(super) fn time(row: &Row<'_>, at: usize) -> Result<DateTime<Utc>, rusqlite::Error> {
    let micros = row.get(at)?;
    DateTime::from_timestamp_micros(micros).ok_or(rusqlite::Error::IntegralValueOutOfRange(at, micros))
}

/// A stored text that this program cannot read.
pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, types::Type::Text, Box::new(error))
}

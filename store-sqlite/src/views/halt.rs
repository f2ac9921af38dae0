//! Why a transaction is taken back.

use annals::{PageLimit, StoreError};
use rusqlite::{ErrorCode, types};

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
    pub(super) fn tell(self, doing: &'static str) -> E {
        match self {
            Self::Refused(refused) => refused,
            Self::Database(error) => store_error(doing, error).into(),
        }
    }
}

/// A limit as SQLite takes it.
pub(super) fn rows(limit: PageLimit) -> i64 {
    i64::try_from(limit.get()).unwrap_or(i64::MAX)
}

/// A stored text that this program cannot read.
pub(super) fn unreadable(error: impl std::error::Error + Send + Sync + 'static) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(0, types::Type::Text, Box::new(error))
}

pub(super) fn store_error(doing: &'static str, error: rusqlite::Error) -> StoreError {
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::DiskFull
            | ErrorCode::OperationInterrupted,
        ) => StoreError::transient(doing, error),
        _ => StoreError::permanent(doing, error),
    }
}

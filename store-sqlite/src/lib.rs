//! SQLite for annals: the embedded default store.
//!
//! [`SqliteStore`] keeps the event log and its snapshots in one file, [`SqliteDocuments`] the read side in another.

mod error;
mod log;
mod open;
mod probe;
mod threads;
mod url;
mod views;

pub use error::FileError;
pub use log::{
    CHECK_PROBLEMS_MAX, Checked, FOREIGN_POLL, LOG_READERS_MAX, Problem, SqliteSettings, SqliteStore,
    WriteFailed,
};
pub use open::{BUSY_WAIT_MAX, LIBRARY_VERSION_MIN};
pub use url::{SqliteOptions, Synchronous, UrlError, views_beside};
pub use views::{SqliteDocuments, VIEW_READERS_MAX};

//! SQLite for annals: the embedded default store.

mod error;
mod log;
mod open;
mod probe;
mod url;
mod views;

pub use error::FileError;
pub use open::{BUSY_WAIT_MAX, LIBRARY_VERSION_MIN};
pub use url::{SqliteOptions, Synchronous, UrlError, views_beside};
pub use views::{READERS_MAX, SqliteDocuments};

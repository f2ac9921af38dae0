//! The event log in one SQLite file.
//!
//! One thread writes (`writer`), a few connections read (`readers`), one watches for other processes (`head`).

mod check;
mod commits;
mod failure;
mod head;
mod reader;
mod readers;
mod row;
mod settings;
mod snapshots;
mod sql;
mod store;
mod types;
mod writer;

pub use check::{CHECK_PROBLEMS_MAX, Checked, Problem};
pub use failure::WriteFailed;
pub use head::FOREIGN_POLL;
pub use readers::LOG_READERS_MAX;
pub use settings::SqliteSettings;
pub use store::SqliteStore;

use crate::open::FileKind;

/// What a file of the log is.
pub(crate) const LOG_FILE: FileKind = FileKind {
    what: "event log of annals",
    application_id: i32::from_be_bytes(*b"anlg"),
    migrations: &[include_str!("log/migrations/0001_log.sql")],
};

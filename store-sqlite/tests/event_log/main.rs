//! The event log in SQLite: the suite of every store, and what only SQLite promises.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod beside;
mod checking;
mod contract;
mod files;
mod guards;
mod shop;
mod snapshots;

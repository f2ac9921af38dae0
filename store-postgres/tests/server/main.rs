//! The log and the read side in PostgreSQL: the suites of every store, and what only PostgreSQL promises.
//!
//! Needs a server, which `cargo xtask test` starts; without one each test says that it is skipped.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]

mod behind;
mod chains;
mod connections;
mod filling;
mod followed;
mod forged;
mod fresh_log;
mod history;
mod lanes;
mod log_contract;
mod lost_answers;
mod opening;
mod own;
mod parts;
mod place;
mod pooled;
mod proxy;
mod restored;
mod rights;
mod shown;
mod sql_parts;
mod sql_projection;
mod sql_split;
mod started_anew;
mod statements;
mod tls;
mod told;
mod unfit;
mod upgraded;
mod views_contract;
mod waits;

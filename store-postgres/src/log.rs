//! The event log in one schema.
//!
//! One task appends (`writer`), a few connections read (`reader`), one listens for other processes (`head`).

mod checked;
mod due;
mod head;
mod listener;
mod look_up;
mod next;
mod notices;
mod one_commit;
mod portions;
mod reader;
mod reconnect;
mod row;
mod snapshots;
mod store;
mod types;
mod way;
mod writer;

pub use head::HEAD_POLL;
pub use notices::{NOTICE_EVERY, NOTICE_WAIT_MAX};
pub use reconnect::{RECONNECT_WAIT_FIRST, RECONNECT_WAIT_MAX, RECONNECTED_WITHIN};
pub use store::PostgresStore;

use crate::{migrate::Layout, statement::statements};

/// The tables of the log.
pub(crate) const LOG: Layout = Layout {
    what: "an event log of annals",
    migrations: &[
        include_str!("log/migrations/0001_log.sql"),
        include_str!("log/migrations/0002_types.sql"),
        include_str!("log/migrations/0003_append_next.sql"),
        include_str!("log/migrations/0004_append_checked.sql"),
        include_str!("log/migrations/0005_rights.sql"),
        include_str!("log/migrations/0006_append_chained.sql"),
        include_str!("log/migrations/0007_insert_guard.sql"),
        include_str!("log/migrations/0008_plausible.sql"),
        include_str!("log/migrations/0009_append_next.sql"),
        include_str!("log/migrations/0010_append_checked.sql"),
        include_str!("log/migrations/0011_append_one.sql"),
        include_str!("log/migrations/0012_append_behind.sql"),
        include_str!("log/migrations/0013_append_in_turn.sql"),
        include_str!("log/migrations/0014_append_in_turn.sql"),
        include_str!("log/migrations/0015_guards.sql"),
    ],
};

statements!(
    /// The statements of the log, one a file.
    Sql {
        append_behind = "log/sql/append_behind.sql",
        append_begun = "log/sql/last.sql" "log/sql/rows_begun.sql" "log/sql/append_rows.sql",
        append_begun_told =
            "log/sql/last.sql" "log/sql/rows_begun.sql" "log/sql/append_rows.sql" "log/sql/rows_told.sql",
        append_checked = "log/sql/append_checked.sql",
        append_commit = "log/sql/last.sql" "log/sql/append_commit.sql",
        append_commit_begun = "log/sql/last.sql" "log/sql/first_begun.sql" "log/sql/append_commit.sql",
        append_commit_begun_told = "log/sql/last.sql" "log/sql/first_begun.sql" "log/sql/append_commit.sql"
            "log/sql/rows_told.sql",
        append_commit_told = "log/sql/last.sql" "log/sql/append_commit.sql" "log/sql/rows_told.sql",
        append_first = "log/sql/last.sql" "log/sql/first_begun.sql" "log/sql/append_first.sql",
        append_first_told =
            "log/sql/last.sql" "log/sql/first_begun.sql" "log/sql/append_first.sql" "log/sql/one_told.sql",
        append_in_turn = "log/sql/append_in_turn.sql",
        append_next = "log/sql/append_next.sql",
        append_one = "log/sql/append_one.sql",
        append_one_told = "log/sql/append_one.sql" "log/sql/one_told.sql",
        append_one_by_function = "log/sql/append_one_by_function.sql",
        append_rows = "log/sql/last.sql" "log/sql/append_rows.sql",
        append_rows_told = "log/sql/last.sql" "log/sql/append_rows.sql" "log/sql/rows_told.sql",
        channel = "log/sql/channel.sql",
        commits_rows = "log/sql/commits_rows.sql",
        first_of_commit = "log/sql/first_of_commit.sql",
        head = "log/sql/head.sql",
        intern = "log/sql/intern.sql",
        keep_snapshot = "log/sql/keep_snapshot.sql",
        listeners = "log/sql/listeners.sql",
        listens = "log/sql/listens.sql",
        ready = "log/sql/ready.sql",
        read_backwards = "log/sql/read_backwards.sql",
        read_forwards = "log/sql/read_forwards.sql",
        read_log = "log/sql/read_log.sql",
        read_log_named = "log/sql/read_log_named.sql",
        names = "log/sql/names.sql",
        role = "log/sql/role.sql",
        size = "log/sql/size.sql",
        snapshot = "log/sql/snapshot.sql",
        streams = "log/sql/streams.sql",
        streams_at = "log/sql/streams_at.sql",
        tell = "log/sql/tell.sql",
        types = "log/sql/types.sql",
    }
);

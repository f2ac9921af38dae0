//! Stories that cross rooms. What each found and how often it was run is told in `README.md` of this crate.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]
#![expect(
    clippy::print_stdout,
    reason = "libtest shows the figures with --nocapture, and of a test that fails"
)]

mod at_least_once;
mod books;
mod broker;
mod counting;
mod ledger;
mod paused;
mod placed;
mod postgres;
mod postgres_server;
mod process;
mod seed;
mod small_disk;
mod waiting;

mod broker_away;
mod buyers;
mod consumed;
mod flushed;
mod full_disk;
mod full_disk_of_postgres;
mod hostile_names;
mod killed;
mod killed_at_a_step;
mod leases;
mod obeyed;
mod plain_sql;
mod published;
mod published_by_two;
mod read_only;
mod rebuilt_at_once;
mod retried;
mod sent_twice;
mod server_stops;
mod started_at_once;
mod two_processes;
mod two_processes_on_postgres;

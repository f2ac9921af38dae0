//! Stories that cross rooms. What each found and how often it was run is told in `README.md` of this crate.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]

mod books;
mod ledger;
mod process;
mod seed;

mod buyers;
mod killed;
mod leases;
mod sent_twice;
mod two_processes;

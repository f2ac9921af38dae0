//! The commands on PostgreSQL: the same tests as in memory, on schemas of their own, and what the program `annals`
//! prints.
//!
//! Needs a server, which `cargo xtask test` starts; without one that is said, and stores in memory take its place.

#![allow(clippy::unwrap_used, reason = "what is awaited in a test is there, or the test has failed")]
#![allow(dead_code, reason = "the tests in memory need more of what they share")]

#[path = "../it/counters.rs"]
mod counters;
#[path = "../it/looking.rs"]
mod looking;
#[path = "../it/parked.rs"]
mod parked;
mod program;
#[path = "../it/replaying.rs"]
mod replaying;
mod stores;

//! `publish`, `consume`, `lag --kafka` and `dead-letters` of the program `annals`, on a real broker.
//!
//! Needs one, which `cargo xtask test` starts; without it each test says that it is skipped.

#![allow(clippy::unwrap_used, reason = "what is awaited in a test is there, or the test has failed")]
#![allow(dead_code, reason = "the tests in memory need more of what they share")]

mod consuming;
mod consuming_begun;
mod consuming_foreign;
mod consuming_refused;
#[path = "../it/counters.rs"]
mod counters;
mod dead_letters;
mod following;
mod lag;
mod program;
mod publishing;
mod reading;
mod refused;
mod rights;
mod shown;
mod stores;

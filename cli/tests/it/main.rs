//! The commands, run as a person would run them.

#![allow(clippy::unwrap_used, reason = "what is awaited in a test is there, or the test has failed")]

mod counters;
mod damage;
mod files;
mod looking;
mod parked;
mod replaying;
mod stores;
mod usage;

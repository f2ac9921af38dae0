//! The whole shop in memory: aggregates, policies and read models together.

#![expect(clippy::unwrap_used, reason = "a test fails where it panics, helpers included")]

mod fixture;
mod policies;
mod read_models;

//! Tests of the SQLite stores, in one binary: a module for each topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod views;

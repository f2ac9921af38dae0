//! The publisher on a real broker: run them with `cargo xtask test`, or `cargo xtask up` and what that prints.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]
#![allow(clippy::print_stdout, reason = "a test that cannot run says so")]

mod at_least_once;
mod broker;
mod changed_topics;
mod cloud_events;
mod guarded;
mod lag;
mod limits;
mod place;
mod proxy;
mod published;
mod security;
mod unanswered;

//! Publisher and consumer on a real broker: run them with `cargo xtask test`, or `cargo xtask up` and what that prints.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up fails")]
#![allow(clippy::print_stdout, reason = "a test that cannot run says so")]

mod aborted;
mod at_least_once;
mod behind;
mod beside;
mod broker;
mod chained;
mod changed_topics;
mod cloud_events;
mod consumed;
mod counted;
mod ends;
mod failing_store;
mod forger;
mod guarded;
mod guarded_consumer;
mod guarded_lag;
mod headers;
mod lag;
mod large_letters;
mod limits;
mod metered;
mod obeyed;
mod place;
mod poisoned;
mod poisoned_unwritten;
mod proof;
mod proxy;
mod published;
mod rebalanced;
mod restored;
mod retried;
mod security;
mod slow_documents;
mod tally;
mod transactions_refused;
mod unanswered;

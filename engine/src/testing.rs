//! What tests of a domain and of a store stand on. Feature `testing`, for dev-dependencies.
//!
//! - [`given`], [`projecting`] and [`reacting`] test aggregates, projections and policies in their own words.
//! - [`check_commands`], [`check_folds`] and [`check_repeats`] drive random commands through an aggregate.
//! - [`strategies`] make random names, payloads and events.
//! - [`Metered`] keeps what was told to metrics.
//! - [`golden_files`] proves that every version of every event that was ever stored still decodes.
//! - [`event_store_contract!`](crate::event_store_contract) makes one test per promise of an event store,
//!   [`document_store_contract!`](crate::document_store_contract) of a store of documents.
//!
//! Everything here panics where a test should fail, at the line of the test where that can be.

pub mod document_store;
pub mod event_store;
mod given;
mod golden;
mod projecting;
mod promise;
mod properties;
mod reacting;
mod recording;
pub mod strategies;

pub use crate::metered::Metered;
pub use document_store::DocumentStoreHarness;
pub use event_store::EventStoreHarness;
pub use given::{Given, Outcome, given};
pub use golden::{WRITE_GOLDEN, golden_files};
pub use projecting::{Projecting, projecting};
#[doc(hidden)]
pub use promise::skip;
pub use promise::{PROMISE_SECONDS_MAX, run_promise};
pub use properties::{COMMANDS_MAX, check_commands, check_folds, check_repeats};
pub use reacting::{Reacted, Reacting, reacting};

/// The version of `proptest` that strategies and configurations here come from.
pub use proptest;

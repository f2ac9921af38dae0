//! What tests of a domain and of a store stand on. Feature `testing`, for dev-dependencies.
//!
//! - [`given`], [`projecting`] and [`reacting`] test aggregates, projections and policies in their own words.
//! - [`event_store_contract!`](crate::event_store_contract) makes one test per promise of an event store.
//!
//! Everything here panics where a test should fail, at the line of the test where that can be.

pub mod event_store;
mod given;
mod projecting;
mod promise;
mod reacting;
mod recording;

pub use event_store::EventStoreHarness;
pub use given::{Given, Outcome, given};
pub use projecting::{Projecting, projecting};
pub use promise::{PROMISE_SECONDS_MAX, run_promise};
pub use reacting::{Reacted, Reacting, reacting};

//! What tests of a domain and of a store stand on. Feature `testing`, for dev-dependencies.
//!
//! - [`given`], [`projecting`] and [`reacting`] test aggregates, projections and policies in their own words.
//!
//! Everything here panics where a test should fail, at the line of the test.

mod given;
mod projecting;
mod reacting;
mod recording;

pub use given::{Given, Outcome, given};
pub use projecting::{Projecting, projecting};
pub use reacting::{Reacted, Reacting, reacting};

//! What the author of a domain writes: events, and the aggregate that decides them.

use crate::{SnapshotPolicy, Upcast};
use serde::{Serialize, de::DeserializeOwned};
use std::{error::Error, fmt::Display};

/// The events of one kind of aggregate: any serde enum.
///
/// The name of a variant is the event type, unique within the category (`#[serde(rename)]` keeps it stable); its
/// content is the payload.
pub trait DomainEvent: Serialize + DeserializeOwned + Send + Sync + 'static {
    /// The category of the streams these events live in. A storage contract: never renamed.
    const CATEGORY: &'static str;

    /// How older shapes are read: see [`Upcast`].
    const UPCASTS: &'static [Upcast] = &[];
}

/// Decides events on commands. Its `Default` is the state of an empty stream.
///
/// The three functions are pure: no I/O, no clock, no random numbers. What they need arrives in the command.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// What tells one aggregate from another; its text is the key of the stream.
    type Id: Display + Sync + ?Sized;

    /// What it can be asked to do.
    type Command: Send + Sync + 'static;

    /// What can happen to it.
    type Event: DomainEvent;

    /// Why it says no.
    type Rejection: Error + Send + Sync + 'static;

    /// Raise it whenever `evolve` or the state changes its meaning: older snapshots are then ignored.
    const FOLD_VERSION: u32 = 1;

    /// Whether, and how often, the state is kept beside the log. Only worth it for streams of many hundred events.
    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = None;

    /// Answers a command with what happens, or with the reason why nothing does. No event means: nothing to do.
    fn decide(&self, command: &Self::Command) -> Result<Vec<Self::Event>, Self::Rejection>;

    /// Takes in what happened. Total: history is never refused.
    fn evolve(&mut self, event: &Self::Event);
}

//! Document projections: events folded into documents by key.

mod column;
mod fold;
mod lanes;
mod part;
mod projector;
mod read_model;
mod rebuild;
mod registered;
mod retry;
#[cfg(test)]
mod tests;

pub use column::{COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, Column, ColumnKind};
pub use part::{
    PART_RACES_MAX, ParkedEvents, PartMode, PartPlace, PartProjector, REFUSED_ATTEMPTS_MAX,
    REFUSED_RETRY_FIRST, part_name, part_of,
};
pub use projector::Projector;
pub use read_model::{ReadError, ReadModel, WAIT_POLL_INTERVAL, WaitError, wait_for};
pub use rebuild::{LEVEL_ATTEMPTS_MAX, MOVING_ATTEMPTS_MAX, Rebuild, RebuildError, Rebuilt};
pub use registered::{Registered, RegisteredParts, Run};

use crate::{EventSet, RecordedEvent};
use serde::{Serialize, de::DeserializeOwned};
use std::{error::Error, sync::Arc};

/// Folds events into documents, each under a key. Pure: no I/O, no clock, no random numbers.
///
/// The runner loads the documents of a page in one query, folds in memory, and writes documents and checkpoint in
/// one transaction: each event counts exactly once.
pub trait Projection: Send + Sync + 'static {
    /// The name of the read model: `[a-z][a-z0-9-]*`. A storage contract.
    const NAME: &'static str;

    /// Raise it whenever the documents change their meaning: the read model is then rebuilt.
    const VERSION: u32 = 1;

    /// The columns in which a SQL database shows the documents, beside their key; for people who ask in plain SQL.
    /// They may change at any time, without another version.
    const COLUMNS: &'static [Column] = &[];

    /// What it takes: one aggregate's events, or an [`event_set!`](crate::event_set).
    type Event: EventSet;

    /// What it keeps under each key.
    type Document: Serialize + DeserializeOwned + Send + Sync + 'static;

    /// The keys of the documents that the event touches.
    fn keys(&self, event: &Self::Event, recorded: &RecordedEvent) -> Keys;

    /// The document under `key` after the event; `None` deletes it.
    ///
    /// # Errors
    /// A refusal parks the event under the key; later events of that key follow it there, other keys go on.
    fn project(
        &self,
        key: &str,
        before: Option<Self::Document>,
        event: &Self::Event,
        recorded: &RecordedEvent,
    ) -> Result<Option<Self::Document>, ProjectError>;
}

/// Why a projection refuses an event.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ProjectError {
    reason: String,
    #[source]
    source: Option<Box<dyn Error + Send + Sync>>,
}

impl ProjectError {
    /// A refusal for this reason.
    pub fn new(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), source: None }
    }

    /// A refusal because of `source`.
    pub fn because(reason: impl Into<String>, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { reason: reason.into(), source: Some(source.into()) }
    }
}

/// The keys of the documents that an event touches: a set, so that two lines of one SKU touch its document once.
/// Kept in the order they were given.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Keys(Vec<Arc<str>>);

impl Keys {
    /// No document.
    pub fn none() -> Self {
        Self::default()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each key once.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<str>> {
        self.0.iter()
    }
}

impl From<&str> for Keys {
    fn from(key: &str) -> Self {
        Self(vec![key.into()])
    }
}

impl From<String> for Keys {
    fn from(key: String) -> Self {
        Self(vec![key.into()])
    }
}

impl<K: Into<Arc<str>>> FromIterator<K> for Keys {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> Self {
        let mut seen = std::collections::HashSet::new();
        Self(keys.into_iter().map(Into::into).filter(|key: &Arc<str>| seen.insert(key.clone())).collect())
    }
}

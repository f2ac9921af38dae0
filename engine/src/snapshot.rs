//! Snapshots: states kept beside the log, so that long streams load fast. A cache, never the truth.

use crate::{Aggregate, DomainEvent, Json, Position, StoreError, StreamId, Version, upcast::current_version};
use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use sha2::{Digest, Sha256};

/// Keeps one state per stream and fingerprint. May forget any of them at any time.
#[async_trait]
pub trait SnapshotStore: Send + Sync + 'static {
    /// The state kept for `stream`, if it was kept under the same fingerprint.
    async fn snapshot(&self, stream: &StreamId, of: Fingerprint) -> Result<Option<Snapshot>, StoreError>;

    /// Keeps a state in place of whatever was kept for `stream`, unless that has the same fingerprint and is newer.
    async fn keep(&self, stream: &StreamId, snapshot: Snapshot) -> Result<(), StoreError>;
}

/// The state of a stream at a version.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// Which fold made it.
    pub of: Fingerprint,
    /// The version of the last event in it.
    pub version: Version,
    /// The position of that event.
    pub position: Position,
    /// The state.
    pub state: Json,
}

/// Tells a state's shape and the fold that made it: snapshots of another fold are ignored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Fingerprint(pub [u8; 16]);

/// How the states of an aggregate are kept: see [`Aggregate::SNAPSHOTS`].
#[derive(Debug)]
pub struct SnapshotPolicy<A> {
    pub(crate) every_events: u64,
    pub(crate) write: fn(&A) -> Result<Json, serde_json::Error>,
    pub(crate) read: fn(&Json) -> Result<A, serde_json::Error>,
}

impl<A: Serialize + DeserializeOwned> SnapshotPolicy<A> {
    /// Keeps the state as JSON whenever `every_events` more events have come to a stream; at least 1.
    pub const fn json(every_events: u64) -> Self {
        assert!(every_events > 0, "a snapshot is taken every 1 or more events");
        Self { every_events, write: Json::of::<A>, read: Json::read::<A> }
    }
}

impl Fingerprint {
    /// Of today's fold: over the category, the name of the type, `FOLD_VERSION`, the shape of the empty state, and the
    /// names and schema versions of the events. A type that is called otherwise begins anew.
    pub(crate) fn of<A: Aggregate>(policy: &SnapshotPolicy<A>) -> Result<Self, serde_json::Error> {
        let mut hash = Sha256::new();
        let mut word = |bytes: &[u8]| {
            hash.update((bytes.len() as u64).to_be_bytes());
            hash.update(bytes);
        };
        word(A::Event::CATEGORY.as_bytes());
        word(std::any::type_name::<A>().as_bytes());
        word(&A::FOLD_VERSION.to_be_bytes());
        word((policy.write)(&A::default())?.as_str().as_bytes());
        for name in crate::codec::variants::<A::Event>().unwrap_or_default() {
            word(name.as_bytes());
            word(&current_version(A::Event::UPCASTS, name).to_be_bytes());
        }
        let mut fingerprint = [0; 16];
        fingerprint.copy_from_slice(&hash.finalize()[..16]);
        Ok(Self(fingerprint))
    }
}

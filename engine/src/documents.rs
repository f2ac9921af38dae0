//! The contract of a store of documents.

use crate::{
    CheckpointError, Checkpoints, Column, GenerationState, Json, Lease, OpenError, PageLimit, Parked,
    ParkedRequest, Position, Step, StoreError, SubscriberId,
};
use async_trait::async_trait;
use std::{collections::HashSet, sync::Arc};

/// The largest document, in bytes: 2 MiB, what the strictest store takes.
pub const DOCUMENT_BYTES_MAX: usize = 2 << 20;

/// The longest key of a document, in bytes.
pub const DOCUMENT_KEY_BYTES_MAX: usize = 1_023;

/// The most lanes that one generation is divided into.
pub const LANES_MAX: u32 = 16;

/// Keeps the documents of projections, by generation.
///
/// Promises: the documents, deletions, parked events and the checkpoint of one page are written together or not at
/// all, and only under the newest lease and from the stored checkpoint. So a page counts exactly once however
/// often it is delivered, and a runner that was paused and replaced writes nothing.
#[async_trait]
pub trait DocumentStore: Checkpoints {
    /// For each key, in order: its document, and whether events are parked under it.
    async fn load(&self, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, StoreError>;

    /// Writes a page and moves the checkpoint, all or nothing.
    async fn commit(&self, step: &Step, page: PageWrite) -> Result<(), CheckpointError>;

    /// Divides the generation into `count` lanes, which are written beside each other, each with a checkpoint of its
    /// own; into one: it is undivided again. Which keys go to which lane is for the caller to say, always alike. False
    /// where this store writes in one lane only.
    ///
    /// The checkpoint of a divided generation is that of the lane furthest behind, and [`commit`](Self::commit) and
    /// [`advance`](Checkpoints::advance) refuse it.
    ///
    /// # Errors
    /// `Moved` unless all lanes stand at one position: only then can keys change their lane.
    async fn divide(&self, _lease: &Lease, count: u32) -> Result<bool, CheckpointError> {
        Ok(count == 1)
    }

    /// The checkpoints of the lanes; none where the generation is undivided.
    async fn lanes(&self, _lease: &Lease) -> Result<Vec<Position>, CheckpointError> {
        Ok(vec![])
    }

    /// As [`commit`](Self::commit), in one lane, counted from 0: the step is made from where that lane stands. It is no
    /// sign of life.
    async fn commit_lane(&self, _lane: u32, step: &Step, _page: PageWrite) -> Result<(), CheckpointError> {
        Err(StoreError::permanent("writing a lane", format!("{} is not divided", step.subscriber)).into())
    }

    /// Writes what a page of one *part* makes of the documents of `into`, and moves the part's checkpoint, all or
    /// nothing.
    ///
    /// A part is a subscriber of its own, with a lease and a checkpoint, whose events come in an order of their own:
    /// those of one partition of a topic. Several parts write into one generation at once, so each document must still
    /// be what it was when it was loaded (`seen`, in any order): by its text or value, or its absence, and by whether
    /// events are parked under its key. What is changed, parked or settled must have been seen.
    ///
    /// # Errors
    /// As [`commit`](Self::commit) for the part. `Raced` when a document is another by now: load and fold again.
    /// `Retired` when `into` was replaced, `Moved` or `Divided` when a log fills it: such a generation takes no parts.
    async fn commit_part(
        &self,
        step: &Step,
        into: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
        page: PageWrite,
    ) -> Result<(), CheckpointError>;

    /// Documents behind `after`, ordered by the bytes of their keys, at most `limit`.
    async fn documents(
        &self,
        of: &SubscriberId,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, Json)>, StoreError>;

    /// The generation in which to rebuild `name`: the one being built under the same `version`, with its
    /// checkpoint as it was left, or a new one at the start of the log. One that an other version was building is
    /// retired.
    ///
    /// # Errors
    /// `Outdated` when the live generation was made by a newer version.
    async fn start_rebuild(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError>;

    /// Makes `to` the live generation and retires the one that is: one transaction, which locks both.
    ///
    /// # Errors
    /// `Behind` when `to` has not come as far as the live one, `Gone` when `to` is not being built any more.
    async fn switch(&self, to: &SubscriberId) -> Result<(), SwitchError>;

    /// Retires a generation that is being built.
    async fn abandon(&self, building: &SubscriberId) -> Result<(), StoreError>;

    /// Deletes up to `limit` documents of a retired generation; true when none is left.
    async fn purge(&self, retired: &SubscriberId, limit: PageLimit) -> Result<bool, StoreError>;

    /// Compares all documents of two generations in one snapshot, by JSON value: key order and number formatting
    /// that mean the same are the same.
    ///
    /// # Errors
    /// `Apart` when they do not stand at one position, `Replaced` when one of them is retired: what it held may be
    /// deleted by now.
    async fn compare(&self, old: &SubscriberId, new: &SubscriberId) -> Result<Comparison, CompareError>;

    /// Parked events, ordered by key and position, at most `limit`, behind `after` (a key and a position).
    async fn parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError>;

    /// Asks the lease holder to retry or discard, between two pages. False when nothing is parked there.
    async fn request(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError>;

    /// What the lease holder has been asked for, at most `limit`.
    async fn requests(&self, of: &SubscriberId, limit: PageLimit) -> Result<Vec<ParkedRequest>, StoreError>;

    /// Shows the documents of `of`, once it is live, in these columns to whoever asks the database itself, and keeps
    /// the indexes that they declare. A store without such a view does nothing.
    async fn describe(&self, _of: &SubscriberId, _columns: &[Column]) -> Result<(), StoreError> {
        Ok(())
    }

    /// The generation of `name` that readers see, and the version of the projection that fills it.
    async fn live(&self, name: &str) -> Result<Option<(SubscriberId, u32)>, StoreError> {
        let live = |info: &crate::SubscriberInfo| {
            info.subscriber.name() == name && info.state == GenerationState::Live
        };
        let found = self.subscribers().await?.into_iter().find(live);
        Ok(found.map(|info| (info.subscriber, info.version)))
    }
}

/// What a store has under one key.
#[derive(Debug, Clone, Default)]
pub struct Slot {
    /// The document.
    pub document: Option<Json>,
    /// Events are parked under the key: later ones follow them there.
    pub parked: bool,
}

/// What one page of events makes of the documents.
#[derive(Debug, Default)]
pub struct PageWrite {
    /// Each key at most once.
    pub changes: Vec<(Arc<str>, Change)>,
    /// Events to park; those of one key in log order. One that is parked already keeps its place and takes the new
    /// error and attempts.
    pub park: Vec<Parked>,
    /// Parked events that are settled, by key and position. A request for a key is carried out, and forgotten,
    /// when a page settles an event of that key or parks one again that was parked already.
    pub settled: Vec<(Arc<str>, Position)>,
}

impl PageWrite {
    /// What every store asks before anything else, so that limits are the same everywhere.
    ///
    /// # Errors
    /// `Nul` or `TooLarge`.
    pub fn check(&self, subscriber: &SubscriberId) -> Result<(), CheckpointError> {
        let changes = self.changes.iter().map(|(key, change)| match change {
            Change::Put(document) => (key, Some(document)),
            Change::Delete => (key, None),
        });
        for (key, document) in changes.chain(self.park.iter().map(|parked| (&parked.key, None))) {
            let too_large = |what, is, max| {
                Err(CheckpointError::TooLarge {
                    subscriber: subscriber.clone(),
                    key: excerpt(key),
                    what,
                    is,
                    max,
                })
            };
            if key.len() > DOCUMENT_KEY_BYTES_MAX {
                return too_large("bytes in a key", key.len(), DOCUMENT_KEY_BYTES_MAX);
            }
            if document.is_some_and(|document| document.bytes() > DOCUMENT_BYTES_MAX) {
                return too_large("bytes", document.map_or(0, Json::bytes), DOCUMENT_BYTES_MAX);
            }
            if key.contains('\0') || document.is_some_and(Json::holds_nul) {
                return Err(CheckpointError::Nul { subscriber: subscriber.clone(), key: excerpt(key) });
            }
        }
        Ok(())
    }

    /// What every store asks before it writes a page of a part, besides [`check`](Self::check).
    ///
    /// # Errors
    /// A permanent one, when something is written that was not seen.
    pub fn check_seen(&self, seen: &[(Arc<str>, Slot)]) -> Result<(), StoreError> {
        let known: HashSet<&str> = seen.iter().map(|(key, _)| &**key).collect();
        let changed = self.changes.iter().map(|(key, _)| key);
        let parked = self.park.iter().map(|parked| &parked.key);
        let mut written = changed.chain(parked).chain(self.settled.iter().map(|(key, _)| key));
        match written.find(|key| !known.contains(&***key)) {
            None => Ok(()),
            Some(key) => {
                let reason = format!("document {:?} was not loaded before", excerpt(key));
                Err(StoreError::permanent("writing a page of a part", reason))
            }
        }
    }
}

/// An error quotes at most this many characters of a key.
const KEY_QUOTED_CHARS_MAX: usize = 255;

pub(crate) fn excerpt(key: &str) -> String {
    key.chars().take(KEY_QUOTED_CHARS_MAX).collect()
}

/// What becomes of one document.
#[derive(Debug, Clone)]
pub enum Change {
    /// It is this now.
    Put(Json),
    /// It is no more.
    Delete,
}

/// How two generations differ.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Comparison {
    /// The position both stand at.
    pub position: Position,
    /// How many keys were compared: those in either.
    pub documents: u64,
    /// In both, but different.
    pub changed: u64,
    /// In the old one only.
    pub missing: u64,
    /// In the new one only.
    pub extra: u64,
    /// The keys of the first few that differ, at most [`COMPARISON_EXAMPLES_MAX`].
    pub examples: Vec<String>,
}

/// How many keys of differing documents a [`Comparison`] names.
pub const COMPARISON_EXAMPLES_MAX: usize = 10;

impl Comparison {
    /// How many documents differ in any way.
    pub fn differences(&self) -> u64 {
        self.changed + self.missing + self.extra
    }
}

/// Why two generations were not compared.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CompareError {
    /// They do not stand at the same position.
    #[error("the generations stand at {old} and {new}: only at one position can they be compared")]
    Apart {
        /// Where the old one stands.
        old: Position,
        /// Where the new one stands.
        new: Position,
    },
    /// One of them is retired, so nobody knows what it held.
    #[error(
        "{subscriber} was replaced, and what it held may be gone: compare with the generation that is live now"
    )]
    Replaced {
        /// Which one.
        subscriber: SubscriberId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a generation did not become the live one.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SwitchError {
    /// It has not come as far as the live one.
    #[error(
        "{subscriber} is at {at}, behind the live generation at {live}: if no other process appends, that one was made from another log, or one that lost its end; restore it, or remove the read models, which are then made anew"
    )]
    Behind {
        /// Which one.
        subscriber: SubscriberId,
        /// Where it is.
        at: Position,
        /// Where the live one is.
        live: Position,
    },
    /// It is not being built any more.
    #[error("{subscriber} is not being built: another rebuild has taken its place")]
    Gone {
        /// Which one.
        subscriber: SubscriberId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

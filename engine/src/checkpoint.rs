//! Where subscribers keep their place, and who may move it.

use crate::{Position, StoreError};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use std::{fmt, str::FromStr, sync::Arc, time::Duration};
use tokio::sync::watch;

/// One generation of a subscriber, shown `orders/2`. Checkpoint, lease, parked events and documents belong to it.
///
/// The name is `[a-z][a-z0-9-]*`, at most [`SUBSCRIBER_NAME_BYTES_MAX`]. Generations count from 1; policies and
/// publishers stay at 1, a projection gets a new one with each rebuild.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SubscriberId {
    name: Arc<str>,
    generation: u32,
}

/// The longest name of a subscriber, in bytes.
pub const SUBSCRIBER_NAME_BYTES_MAX: usize = 64;

/// The text names no subscriber.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "{0:?} names no subscriber: expected a lower-case letter, then lower-case letters, digits and -, at most 64"
)]
pub struct SubscriberIdError(pub String);

impl SubscriberId {
    /// The generation `generation` of the subscriber called `name`.
    pub fn new(name: &str, generation: u32) -> Result<Self, SubscriberIdError> {
        let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
        let fits = name.len() <= SUBSCRIBER_NAME_BYTES_MAX && generation > 0;
        if !fits || !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.bytes().all(plain) {
            return Err(SubscriberIdError(format!("{name}/{generation}")));
        }
        Ok(Self { name: name.into(), generation })
    }

    /// The name, the same for all generations.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Which generation.
    pub fn generation(&self) -> u32 {
        self.generation
    }
}

impl FromStr for SubscriberId {
    type Err = SubscriberIdError;

    fn from_str(text: &str) -> Result<Self, SubscriberIdError> {
        let refused = || SubscriberIdError(text.chars().take(2 * SUBSCRIBER_NAME_BYTES_MAX).collect());
        let (name, generation) = text.split_once('/').ok_or_else(refused)?;
        Self::new(name, generation.parse().map_err(|_| refused())?)
    }
}

impl fmt::Display for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.name, self.generation)
    }
}

impl fmt::Debug for SubscriberId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Counts the leases of a subscriber: a runner with an older epoch writes nothing any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Epoch(pub u64);

/// On what terms a runner takes a lease.
#[derive(Debug, Clone)]
pub struct LeaseTerms {
    /// Who holds it, for people to read: host, process, program.
    pub holder: String,
    /// How long it lasts after the last sign of life. Each written checkpoint and each [`Checkpoints::renew`] is one.
    pub lasts: Duration,
}

/// The right to run one generation of one subscriber, until somebody else takes it over.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Lease {
    /// Whose.
    pub subscriber: SubscriberId,
    /// Higher than that of every lease before.
    pub epoch: Epoch,
    /// Where the subscriber stands: everything up to here is handled.
    pub checkpoint: Position,
}

impl Lease {
    /// A lease, given by a store.
    pub fn new(subscriber: SubscriberId, epoch: Epoch, checkpoint: Position) -> Self {
        Self { subscriber, epoch, checkpoint }
    }
}

/// One step of a subscriber: from the checkpoint it had, under the lease it holds.
#[derive(Debug, Clone)]
pub struct Step {
    /// Whose.
    pub subscriber: SubscriberId,
    /// Of the lease.
    pub epoch: Epoch,
    /// The checkpoint it had; must be the stored one.
    pub from: Position,
    /// The checkpoint it now has; equal to `from` when only parked events are settled.
    pub to: Position,
}

/// What a generation is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum GenerationState {
    /// A rebuild fills it; nobody reads it yet.
    Building,
    /// The one that readers see. A name has one at most.
    Live,
    /// Replaced; its runner can write nothing any more.
    Retired,
}

/// What is known of one generation of one subscriber.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct SubscriberInfo {
    /// Which one.
    pub subscriber: SubscriberId,
    /// The version of the projection that fills it; 1 for other subscribers.
    pub version: u32,
    /// What it is there for.
    pub state: GenerationState,
    /// Everything up to here is handled.
    pub checkpoint: Position,
    /// Who holds the lease, if it has not run out.
    pub holder: Option<String>,
    /// How many events are parked.
    pub parked: u64,
    /// Why it last failed and when, if it has not succeeded since.
    pub failure: Option<(String, DateTime<Utc>)>,
}

impl SubscriberInfo {
    /// A generation of which nothing is known but its place, made by a store; the other fields are set on it.
    pub fn new(subscriber: SubscriberId, version: u32, state: GenerationState, checkpoint: Position) -> Self {
        Self { subscriber, version, state, checkpoint, holder: None, parked: 0, failure: None }
    }
}

/// Keeps checkpoints and leases.
///
/// Promises: checkpoints change only under the newest lease and only from where they stand; a lease goes to the next
/// one only when it has run out, was released, or is [taken over](Self::take_over) on purpose; epochs only rise; what
/// `advance` wrote is durable as the store's settings say.
#[async_trait]
pub trait Checkpoints: Send + Sync + 'static {
    /// The live generation of `name`, made (as generation 1, at the start of the log) if there is none.
    ///
    /// # Errors
    /// `Outdated` when the live generation was made by a newer version, `NeedsRebuild` when by an older one.
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError>;

    /// Takes the lease of `subscriber`.
    ///
    /// # Errors
    /// `Held` while another runner has it, `Retired` when the generation was replaced.
    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError>;

    /// Takes the lease of `subscriber`, also from a runner that holds it: that one is fenced from now on. For whoever
    /// must have the subscriber stand still for a moment; its runner goes on when this lease is given back or runs out.
    ///
    /// # Errors
    /// `Retired` when the generation was replaced.
    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError>;

    /// A sign of life from a runner that has nothing to write.
    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError>;

    /// Gives the lease back, so that the next runner need not wait.
    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError>;

    /// Moves the checkpoint.
    async fn advance(&self, step: &Step) -> Result<(), CheckpointError>;

    /// Records why `subscriber` cannot go on, for people to see; `None` when it can again.
    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError>;

    /// All generations of all subscribers, ordered by name and generation.
    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError>;

    /// Changes whenever this process moved a checkpoint.
    fn moved(&self) -> watch::Receiver<u64>;
}

/// Why a subscriber cannot be opened.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// A newer program made the live generation.
    #[error(
        "{name}: the live generation {generation} is of version {live}, this program has version {ours}: update the program"
    )]
    Outdated {
        /// The subscriber.
        name: String,
        /// Its live generation.
        generation: u32,
        /// The version that made it.
        live: u32,
        /// The version of this program.
        ours: u32,
    },
    /// An older program made the live generation.
    #[error(
        "{name}: the live generation {generation} is of version {live}, this program has version {ours}: run `replay {name}`"
    )]
    NeedsRebuild {
        /// The subscriber.
        name: String,
        /// Its live generation.
        generation: u32,
        /// The version that made it.
        live: u32,
        /// The version of this program.
        ours: u32,
    },
    /// The name is none.
    #[error(transparent)]
    Name(#[from] SubscriberIdError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a lease is not given.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LeaseError {
    /// Another runner has it.
    #[error("{subscriber} is run by {holder}, whose lease lasts another {remaining_ms} ms")]
    Held {
        /// Whose lease.
        subscriber: SubscriberId,
        /// Who has it.
        holder: String,
        /// How long it lasts without a sign of life.
        remaining_ms: u64,
    },
    /// The generation was replaced.
    #[error("{subscriber} is retired: a rebuild took its place")]
    Retired {
        /// Whose lease.
        subscriber: SubscriberId,
    },
    /// There is no such generation.
    #[error("there is no {subscriber}")]
    Unknown {
        /// Whose lease.
        subscriber: SubscriberId,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why a checkpoint was not moved, and nothing written with it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CheckpointError {
    /// Somebody else took the lease.
    #[error("{subscriber} was taken over: our lease was number {}, now it is {}", ours.0, now.0)]
    Fenced {
        /// Whose checkpoint.
        subscriber: SubscriberId,
        /// The epoch we hold.
        ours: Epoch,
        /// The epoch that counts.
        now: Epoch,
    },
    /// The checkpoint is elsewhere.
    #[error("{subscriber} is at {actual}, not at {expected}")]
    Moved {
        /// Whose checkpoint.
        subscriber: SubscriberId,
        /// Where we took it to be.
        expected: Position,
        /// Where it is.
        actual: Position,
    },
    /// It is written in lanes, or is not and should be.
    #[error("{subscriber} is divided into other lanes: let its runner begin again")]
    Divided {
        /// Whose checkpoint.
        subscriber: SubscriberId,
    },
    /// A document is no more what it was when it was loaded: another part has written it. Load and fold again.
    #[error("document {key:?} of {subscriber} was changed by another part meanwhile")]
    Raced {
        /// Whose document.
        subscriber: SubscriberId,
        /// The beginning of its key.
        key: String,
    },
    /// The generation was replaced.
    #[error("{subscriber} is retired: a rebuild took its place")]
    Retired {
        /// Whose checkpoint.
        subscriber: SubscriberId,
    },
    /// A document holds U+0000 in a string or key, which not every store can keep: so none takes it.
    #[error("document {key:?} of {subscriber} holds U+0000, which no store of documents takes")]
    Nul {
        /// Whose document.
        subscriber: SubscriberId,
        /// The beginning of its key.
        key: String,
    },
    /// A document or its key exceeds a limit.
    #[error("document {key:?} of {subscriber} has {is} {what}, at most {max} are allowed")]
    TooLarge {
        /// Whose document.
        subscriber: SubscriberId,
        /// The beginning of its key.
        key: String,
        /// What there is too much of.
        what: &'static str,
        /// How much there is.
        is: usize,
        /// How much may be.
        max: usize,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl CheckpointError {
    /// The document under `key` is another by now, told by a store.
    pub fn raced(subscriber: &SubscriberId, key: &str) -> Self {
        Self::Raced { subscriber: subscriber.clone(), key: crate::documents::excerpt(key) }
    }
}

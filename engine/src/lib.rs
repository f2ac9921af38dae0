//! annals: an event-sourced CQRS engine with a pluggable event store. A domain service embeds it.
//!
//! **What it is.** Aggregates decide events; an append-only store keeps them under optimistic concurrency;
//! projections fold them into read models; policies turn them into further commands. The rules are pure functions;
//! no event is lost, reordered or skipped; a command may be sent twice; read models can be thrown away and rebuilt.
//!
//! **What it is not.** No web framework, no message broker, no ORM. This crate has no driver and no SQL: stores are
//! crates of their own (`annals-sqlite` is the embedded default) and keep the contracts of [`EventStore`],
//! [`Checkpoints`] and [`DocumentStore`], which `annals::testing` checks.
//!
//! **Limits.** A payload of 1 MiB ([`PAYLOAD_BYTES_MAX`]), metadata of 64 KiB ([`METADATA_BYTES_MAX`]), 1 000 events
//! and 4 MiB a commit ([`COMMIT_EVENTS_MAX`], [`COMMIT_BYTES_MAX`]), a stream key of 255 bytes ([`KEY_BYTES_MAX`]),
//! a page of 10 000 ([`PageLimit::MAX`]).
//!
//! Where to begin: [`Aggregate`] is what a domain writes, [`Engine::execute`] carries out its commands,
//! [`Projection`] makes read models, [`Runner`] keeps them going, [`Rebuild`] makes them anew.
//!
//! ```
//! use annals::{Aggregate, Context, DomainEvent, Engine, MemoryStore};
//! use serde::{Deserialize, Serialize};
//! use std::sync::Arc;
//!
//! #[derive(Serialize, Deserialize)]
//! enum AccountEvent {
//!     Deposited { cents: u64 },
//!     Withdrawn { cents: u64 },
//! }
//!
//! impl DomainEvent for AccountEvent {
//!     const CATEGORY: &'static str = "account";
//! }
//!
//! enum AccountCommand {
//!     Deposit { cents: u64 },
//!     Withdraw { cents: u64 },
//! }
//!
//! #[derive(Debug, thiserror::Error)]
//! #[error("overdrawn by {by_cents} cents")]
//! struct Overdrawn {
//!     by_cents: u64,
//! }
//!
//! #[derive(Default, Clone)]
//! struct Account {
//!     balance_cents: u64,
//! }
//!
//! impl Aggregate for Account {
//!     type Id = str;
//!     type Command = AccountCommand;
//!     type Event = AccountEvent;
//!     type Rejection = Overdrawn;
//!
//!     fn decide(&self, command: &AccountCommand) -> Result<Vec<AccountEvent>, Overdrawn> {
//!         match *command {
//!             AccountCommand::Deposit { cents } => Ok(vec![AccountEvent::Deposited { cents }]),
//!             AccountCommand::Withdraw { cents } if cents > self.balance_cents => {
//!                 Err(Overdrawn { by_cents: cents - self.balance_cents })
//!             }
//!             AccountCommand::Withdraw { cents } => Ok(vec![AccountEvent::Withdrawn { cents }]),
//!         }
//!     }
//!
//!     fn evolve(&mut self, event: &AccountEvent) {
//!         match event {
//!             AccountEvent::Deposited { cents } => self.balance_cents += cents,
//!             AccountEvent::Withdrawn { cents } => self.balance_cents -= cents,
//!         }
//!     }
//! }
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new(Arc::new(MemoryStore::new()));
//! engine.execute::<Account>("7f3c", &AccountCommand::Deposit { cents: 100 }, Context::new()).await?;
//! let refused = engine.execute::<Account>("7f3c", &AccountCommand::Withdraw { cents: 130 }, Context::new()).await;
//! assert_eq!(refused.unwrap_err().to_string(), "overdrawn by 30 cents");
//! # Ok(()) }
//! ```

// What a domain writes.
mod aggregate;
mod event_set;
mod policy;
mod projection;
mod upcast;

// What happens to it.
mod context;
mod engine;
mod subscriber;
mod subscription;

// The words, in the order they build on each other.
pub mod codec;
mod commit;
mod event;
mod ids;
mod json;
mod log;
mod metadata;
mod place;
mod recorded;
mod stream;

// What stores promise, and what they share.
pub mod batch;
mod checkpoint;
mod documents;
#[cfg(test)]
mod fixture;
mod memory;
#[cfg(any(test, feature = "testing"))]
mod metered;
mod parked;
mod retry;
mod snapshot;
mod store;
#[cfg(feature = "testing")]
pub mod testing;

pub use aggregate::{Aggregate, DomainEvent};
pub use checkpoint::{
    CheckpointError, Checkpoints, Epoch, GenerationState, Lease, LeaseError, LeaseTerms, OpenError,
    SUBSCRIBER_NAME_BYTES_MAX, Step, SubscriberId, SubscriberIdError, SubscriberInfo,
};
pub use codec::CodecError;
pub use commit::{
    AppendError, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, Committed, Expected, METADATA_BYTES_MAX,
    PAYLOAD_BYTES_MAX, Write, Written,
};
pub use context::Context;
pub use documents::{
    COMPARISON_EXAMPLES_MAX, Change, CompareError, Comparison, DOCUMENT_BYTES_MAX, DOCUMENT_KEY_BYTES_MAX,
    DocumentStore, LANES_MAX, PageWrite, Slot, SwitchError,
};
pub use engine::{
    ATTEMPTS_MAX, At, CACHE_ENTRIES_MAX, Done, Engine, ExecuteError, Failure, GATES, RUN_COMMANDS_MAX,
    SNAPSHOTS_AT_ONCE_MAX, State,
};
pub use event::{EVENT_TYPE_BYTES_MAX, EventData, EventType, PlaceInCommit, RecordedEvent};
pub use event_set::{EventSet, source_of};
pub use ids::{CommandId, EventId};
pub use json::Json;
pub use log::{LOOKED_POSITIONS_MAX, LogFilter, LogPage, PageLimit, PageLimitError, Source};
pub use memory::{MemoryDocuments, MemoryStore};
pub use metadata::Metadata;
pub use parked::{PARKED_ERROR_BYTES_MAX, Parked, ParkedAction, ParkedRequest, error_text};
pub use place::{Position, Version};
pub use policy::{AnyRejection, COMMAND_ATTEMPTS_MAX, COMMANDS_AT_ONCE_MAX, Issued, Policy, PolicyRunner};
pub use projection::{
    COLUMN_NAME_BYTES_MAX, COLUMNS_MAX, Column, ColumnKind, Keys, LEVEL_ATTEMPTS_MAX, MOVING_ATTEMPTS_MAX,
    PART_RACES_MAX, ParkedEvents, PartMode, PartPlace, PartProjector, ProjectError, Projection, Projector,
    REFUSED_ATTEMPTS_MAX, REFUSED_RETRY_FIRST, ReadError, ReadModel, Rebuild, RebuildError, Rebuilt,
    Registered, RegisteredParts, Run, WAIT_POLL_INTERVAL, WaitError, part_name, part_of, wait_for,
};
pub use recorded::{DecodeError, DecodeProblem, decode_recorded};
pub use retry::{STORE_RETRIES_MAX, STORE_RETRY_FIRST};
pub use snapshot::{Fingerprint, Snapshot, SnapshotPolicy, SnapshotStore};
pub use store::{EventStore, StoreError, StreamFilter, StreamInfo, VersionRange};
pub use stream::{KEY_BYTES_MAX, NAME_BYTES_MAX, StreamId, StreamIdError};
pub use subscriber::{Subscriber, SubscriberError};
pub use subscription::{
    EMPTY_PAGES_INTERVAL, Ended, LEASE_LASTS, Place, RESTART_FIRST, RESTART_MAX, RESTART_PASSING_MAX,
    RestartWaits, Runner, TEND_INTERVAL, catch_up, catch_up_to, follow, tell_failure,
};
pub use upcast::{UPCAST_STEPS_MAX, Upcast, Upcasted};

/// The example in the README is compiled and run with the documentation tests.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
struct Readme;

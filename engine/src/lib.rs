//! placeholder
mod aggregate;
pub mod batch;
mod checkpoint;
pub mod codec;
mod commit;
mod context;
mod documents;
mod engine;
mod event;
mod event_set;
mod ids;
mod json;
mod log;
mod memory;
mod metadata;
mod parked;
mod place;
mod policy;
mod projection;
mod recorded;
mod snapshot;
mod store;
mod stream;
mod subscriber;
#[cfg(feature = "testing")]
pub mod testing;
mod upcast;

pub use aggregate::{Aggregate, DomainEvent};
pub use codec::CodecError;
pub use commit::{
    AppendError, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, Committed, Expected, METADATA_BYTES_MAX,
    PAYLOAD_BYTES_MAX, Write, Written,
};
pub use event::{EVENT_TYPE_BYTES_MAX, EventData, EventType, PlaceInCommit, RecordedEvent};
pub use event_set::{EventSet, source_of};
pub use ids::{CommandId, EventId};
pub use json::Json;
pub use log::{LOOKED_POSITIONS_MAX, LogFilter, LogPage, PageLimit, PageLimitError, Source};
pub use metadata::Metadata;
pub use place::{Position, Version};
pub use recorded::{DecodeError, DecodeProblem, decode_recorded};
pub use snapshot::{Fingerprint, Snapshot, SnapshotPolicy, SnapshotStore};
pub use store::{EventStore, StoreError, StreamFilter, StreamInfo, VersionRange};
pub use stream::{KEY_BYTES_MAX, NAME_BYTES_MAX, StreamId, StreamIdError};
pub use upcast::{UPCAST_STEPS_MAX, Upcast, Upcasted};

pub use checkpoint::{
    CheckpointError, Checkpoints, Epoch, GenerationState, Lease, LeaseError, LeaseTerms, OpenError,
    SUBSCRIBER_NAME_BYTES_MAX, Step, SubscriberId, SubscriberIdError, SubscriberInfo,
};
pub use documents::{
    COMPARISON_EXAMPLES_MAX, Change, CompareError, Comparison, DOCUMENT_BYTES_MAX, DOCUMENT_KEY_BYTES_MAX,
    DocumentStore, PageWrite, Slot, SwitchError,
};
pub use memory::{MemoryDocuments, MemoryStore};
pub use parked::{PARKED_ERROR_BYTES_MAX, Parked, ParkedAction, ParkedRequest, error_text};

pub use context::Context;
pub use engine::{Done, Engine, ExecuteError, Failure};
pub use policy::{AnyRejection, Issued, Policy};
pub use projection::{Keys, ProjectError, Projection};
pub use subscriber::{Subscriber, SubscriberError};

/// How often a subscriber that has nothing to read is tended.
pub const TEND_INTERVAL: std::time::Duration = std::time::Duration::from_secs(1);

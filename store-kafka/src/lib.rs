//! Apache Kafka for [`annals`]: committed events go out to topics, keyed by aggregate, in an order that consumers can
//! check.
//!
//! [`Publisher`] is a subscriber of the log like a projection: run it with a [`Runner`](annals::Runner). [`Incoming`] reads
//! a record back into the event that it was.
//!
//! What it is not: a store. Nothing is appended to the log from here, and what a topic forgets the log still has.

mod admin;
mod chain;
mod client;
mod control;
mod error;
mod failure;
pub mod headers;
mod incoming;
mod murmur2;
mod proof;
mod publisher;
mod running;
mod session;
mod terms;
mod topic;
mod topics;
mod url;

pub use chain::{Chain, Link};
pub use error::PublishError;
pub use failure::KafkaFailed;
pub use headers::CloudEvents;
pub use incoming::{Incoming, RecordError, RecordProblem};
pub use murmur2::partition_of;
pub use proof::{Proof, TopicProof};
pub use publisher::{CHECKPOINT_INTERVAL, Publisher};
pub use session::{DELIVERY_LASTS_MAX, QUEUE_RECORDS_MAX, TRANSACTION_LASTS_MAX};
pub use terms::{Oversize, PARTITIONS_MAX, PublisherTerms, Start, TRANSACTION_RECORDS_MAX};
pub use topics::{TOPIC_BYTES_MAX, TopicNameError, TopicNames};
pub use url::{KafkaOptions, Token, UrlError};

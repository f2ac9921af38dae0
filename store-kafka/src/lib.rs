//! Apache Kafka for [`annals`]: committed events go out to topics, keyed by aggregate, in an order that consumers can
//! check.
//!
//! [`Publisher`] is a subscriber of the log like a projection: run it with a [`Runner`](annals::Runner). [`Incoming`]
//! reads a record back into the event that it was.
//!
//! # Logging in
//! [`KafkaOptions`] says how: TLS with a checked certificate is the rule, with PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or
//! OAUTHBEARER within. Who does not get in is told why within seconds, in the words of the client where they say more;
//! no password and no token is in any message. A token is renewed while a publisher idles. With a token no topics are
//! made from here and their settings are not asked (the driver cannot): the topics, and the publisher's [control
//! topic](Publisher::control_topic), are created by hand, and `max.message.bytes` is taken to be Kafka's default.
//!
//! Where a broker checks rights, a publisher needs `Write` and `Read` on its topics and on its control topic, `Create`
//! where it makes them, and `Write` on the transactional id that is called like it; without transactions
//! ([`Delivery::AtLeastOnce`]) on its topics alone. It is in no group.
//!
//! **Azure Event Hubs** speaks Kafka at port 9093. With a connection string in a file:
//! `kafka://%24ConnectionString@NAMESPACE.servicebus.windows.net:9093?password-file=PATH`. With Entra ID:
//! `kafka://NAMESPACE.servicebus.windows.net:9093?token-file=PATH`, where somebody keeps a fresh token for
//! `https://NAMESPACE.servicebus.windows.net/.default`, or a function given to [`KafkaOptions::with_token`]. Its tiers
//! without transactions, and those without compacted topics, want [`Delivery::AtLeastOnce`].
//!
//! # Consuming
//! [`Consumer`] feeds a [`Projection`](annals::Projection) of another service, which has no log but a store of
//! documents, or a [`Policy`](annals::Policy), whose commands go to that service's own log: the same types as
//! everywhere, each event with an effect exactly once, in order for each aggregate, and nothing missing unnoticed.
//!
//! ```no_run
//! # use annals::{DomainEvent, Keys, MemoryDocuments, ProjectError, Projection, RecordedEvent};
//! # use serde::{Deserialize, Serialize};
//! # #[derive(Serialize, Deserialize)] enum OrderEvent { Placed {} }
//! # impl DomainEvent for OrderEvent { const CATEGORY: &'static str = "order"; }
//! # #[derive(Clone)] struct Orders;
//! # impl Projection for Orders {
//! #     const NAME: &'static str = "orders"; type Event = OrderEvent; type Document = u64;
//! #     fn keys(&self, _: &OrderEvent, _: &RecordedEvent) -> Keys { Keys::from("all") }
//! #     fn project(&self, _: &str, n: Option<u64>, _: &OrderEvent, _: &RecordedEvent) -> Result<Option<u64>, ProjectError> {
//! #         Ok(Some(n.unwrap_or(0) + 1))
//! #     }
//! # }
//! # struct SqliteDocuments;
//! # impl SqliteDocuments {
//! #     fn open(_: &str) -> std::io::Result<MemoryDocuments> { Ok(MemoryDocuments::new()) }
//! # }
//! use annals_kafka::{Consumer, ConsumerTerms, Handler};
//! use std::sync::Arc;
//! use tokio_util::sync::CancellationToken;
//!
//! # async fn run(stop: CancellationToken) -> Result<(), Box<dyn std::error::Error>> {
//! let documents = Arc::new(SqliteDocuments::open("reporting.db")?);
//! let handler = Handler::projection(Orders, documents);
//! let (group, topics) = ("reporting-orders", ["shop.order"]);
//! let consumer = Consumer::new(group, "kafka://127.0.0.1:9092".parse()?, topics, handler, ConsumerTerms::default());
//! consumer.run(stop).await?;
//! # Ok(()) }
//! ```
//!
//! Any number of processes may run a consumer of the group; partitions move between them. What a projection refuses is
//! parked and goes to [`DeadLetters`]; how far a group is behind says [`PartitionLag`]. Where a partition stands still,
//! its part reports why and what to do, for whoever lists the subscribers of the store; [`pass_over`] is for what is
//! gone for good. [`Consumer::ends`] is where its topics end now, and [`Consumer::consumed`] what it has done. After a change of a projection's `VERSION`, [`Handler::rebuild`] fills a new generation from the
//! topics.
//!
//! What it is not: a store. Nothing is appended to the log from here, and what a topic forgets the log still has.

mod admin;
mod blocking;
mod chain;
mod client;
mod consumer;
mod control;
mod dead_letters;
mod error;
mod failure;
mod group_lag;
pub mod headers;
mod incoming;
mod lag;
mod last;
mod murmur2;
mod own_thread;
mod polled;
mod proof;
mod publisher;
mod reach;
mod running;
mod same_log;
mod scan;
mod secrets;
mod sent;
mod session;
mod size;
mod tending;
mod terms;
mod topic;
mod topics;
mod transaction;
mod url;

pub use chain::{Chain, Link};
pub use consumer::{
    ConsumeError, Consumed, Consumer, ConsumerTerms, First, Foreign, Handler, OFFSETS_INTERVAL,
    PAGE_RECORDS_MAX, PartitionError, PassOverError, RETRY_DELAY_MAX, RETRY_TOPICS_MAX, REVOKED_WAIT_MAX,
    Retries, RetriesError, SESSION_LASTS, TopicConsumed, WAITING_BYTES_MAX, WAITING_RECORDS_MAX, pass_over,
};
pub use dead_letters::{DeadLetter, DeadLetters, RecordPlace};
pub use error::PublishError;
pub use failure::KafkaFailed;
pub use group_lag::{GROUPS_MAX, GroupsError, PartitionLag};
pub use headers::CloudEvents;
pub use incoming::{Incoming, RecordError, RecordProblem};
pub use lag::{PublisherLag, TopicLag};
pub use murmur2::partition_of;
pub use proof::{Proof, TopicProof};
pub use publisher::{CHECKPOINT_INTERVAL, Publisher};
pub use session::{DELIVERY_LASTS_MAX, QUEUE_BYTES_MAX, QUEUE_RECORDS_MAX, TRANSACTION_LASTS_MAX};
pub use tending::TOPICS_LOOK_INTERVAL;
pub use terms::{
    Delivery, Oversize, PARTITIONS_MAX, PublisherTerms, REPEATED_RECORDS_MAX, Start, TRANSACTION_RECORDS_MAX,
};
pub use topics::{TOPIC_BYTES_MAX, TopicNameError, TopicNames};
pub use url::{KafkaOptions, Token, UrlError};

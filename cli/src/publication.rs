//! Publishing to Kafka, for commands. A program that was built without its driver has the commands all the same, and
//! they say so.

#[cfg(any(test, not(feature = "kafka")))]
mod absent;
#[cfg(feature = "kafka")]
mod counting;
#[cfg(feature = "kafka")]
mod failing;
#[cfg(feature = "kafka")]
mod filter;
#[cfg(feature = "kafka")]
mod present;
mod told;

#[cfg(not(feature = "kafka"))]
pub use absent::Publication;
#[cfg(not(feature = "kafka"))]
pub(crate) use absent::{check_cluster, reach_cluster, sent_by};
#[cfg(feature = "kafka")]
pub(crate) use failing::kafka_failed;
#[cfg(feature = "kafka")]
pub use present::Publication;
#[cfg(feature = "kafka")]
pub(crate) use present::{check_cluster, cluster, reach_cluster, sent_by, topic_names};
pub use told::{Proven, ProvenTopic, Published, Sent, SentTopic};

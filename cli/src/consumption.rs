//! What commands tell of consumers of Kafka. As with publishing, a program that was built without its driver says so.

#[cfg(not(feature = "kafka"))]
mod absent;
#[cfg(feature = "kafka")]
mod groups;
#[cfg(feature = "kafka")]
mod letters;
mod told;

#[cfg(not(feature = "kafka"))]
pub(crate) use absent::groups;
#[cfg(feature = "kafka")]
pub(crate) use groups::groups;
pub use told::GroupLag;
pub(crate) use told::{Letters, Place};

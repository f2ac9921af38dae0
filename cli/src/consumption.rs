//! What commands tell of consumers of Kafka. As with publishing, a program that was built without its driver says so.

#[cfg(not(feature = "kafka"))]
mod absent;
#[cfg(feature = "kafka")]
mod failing;
#[cfg(feature = "kafka")]
mod filling;
#[cfg(feature = "kafka")]
mod groups;
#[cfg(feature = "kafka")]
mod handled;
#[cfg(feature = "kafka")]
mod letters;
#[cfg(feature = "kafka")]
mod passing;
#[cfg(feature = "kafka")]
mod reading;
#[cfg(feature = "kafka")]
mod remark;
mod told;

#[cfg(not(feature = "kafka"))]
pub(crate) use absent::{Consumption, groups};
#[cfg(feature = "kafka")]
pub(crate) use filling::Consumption;
#[cfg(feature = "kafka")]
pub(crate) use groups::groups;
pub use told::{Filled, GroupLag};
pub(crate) use told::{Filling, Letters, Place};

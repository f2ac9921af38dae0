//! Events to type name and JSON body, and back, through serde's own enum hooks.
//!
//! An event is any serde enum: the name of the variant is the event type, its content is the payload. Nothing is
//! parsed twice and the body carries no tag. Enums with serde's own tag, or untagged, are refused.

mod decode;
mod encode;
mod variants;

pub use decode::decode;
pub use encode::{CodecError, encode};
pub use variants::variants;

const NO_ENUM: &str = "an event must be an enum without serde's tag or untagged";

#[cfg(test)]
mod tests;

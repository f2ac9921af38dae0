//! Ids of commands and events. Those of events follow from the command's, so a repeat is recognised.

use crate::StreamId;
use chrono::{DateTime, Utc};
use sha2::{Digest, Sha256};
use std::fmt;
use uuid::Uuid;

/// Identifies one event for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct EventId(Uuid);

/// Identifies one command, however often it arrives. The ids of its events are derived from it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, serde::Serialize, serde::Deserialize)]
#[serde(transparent)]
pub struct CommandId(Uuid);

impl EventId {
    /// An id that was given elsewhere.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// A fresh id (UUIDv7) for an event that no command led to.
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }

    /// The UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

impl CommandId {
    /// An id that the sender gave; best a UUIDv7, whose time keeps the index on event ids in order.
    pub const fn new(id: Uuid) -> Self {
        Self(id)
    }

    /// A fresh id (UUIDv7).
    pub fn random() -> Self {
        Self(Uuid::now_v7())
    }

    /// The id of the command that a sender knows by `key`, as in an `Idempotency-Key` header.
    pub fn of_key(key: &str) -> Self {
        let hash = Sha256::new().chain_update(b"key").chain_update(key).finalize();
        Self(uuid_v8(&hash[..6], &hash[6..]))
    }

    /// As [`of_key`](Self::of_key), with the time of the business event in front: ids of commands that
    /// belong together in time lie together in the index. The same key at another time is another command.
    pub fn of_key_at(key: &str, at: DateTime<Utc>) -> Self {
        let exactly = at.timestamp_micros().to_be_bytes();
        let hash = Sha256::new().chain_update(b"key at").chain_update(exactly).chain_update(key).finalize();
        let millis = (at.timestamp_millis().max(0) as u64).to_be_bytes();
        Self(uuid_v8(&millis[2..], &hash))
    }

    /// The id of the `ordinal`th command that `subscriber` sends to `target` because of event `cause`.
    pub fn caused(subscriber: &str, cause: EventId, target: &StreamId, ordinal: u32) -> Self {
        Self(derive(cause.0, &[subscriber, target.as_str()], ordinal))
    }

    /// The id of the `ordinal`th event (from 0) that this command leaves in `stream`.
    ///
    /// A UUIDv8: the first 48 bits of the command id, then SHA-256 over the stream, the command id and the
    /// ordinal. One command id used on two streams collides nowhere.
    pub fn event(self, stream: &StreamId, ordinal: u32) -> EventId {
        EventId(derive(self.0, &[stream.as_str()], ordinal))
    }

    /// The UUID.
    pub const fn uuid(self) -> Uuid {
        self.0
    }
}

/// The first 48 bits of `parent`, then a hash over the length-prefixed `words`, the parent and the ordinal.
fn derive(parent: Uuid, words: &[&str], ordinal: u32) -> Uuid {
    let mut hash = Sha256::new();
    for word in words {
        hash.update((word.len() as u32).to_be_bytes());
        hash.update(word);
    }
    hash.update(parent.as_bytes());
    hash.update(ordinal.to_be_bytes());
    uuid_v8(&parent.as_bytes()[..6], &hash.finalize())
}

fn uuid_v8(prefix: &[u8], rest: &[u8]) -> Uuid {
    let mut bytes = [0; 16];
    bytes[..6].copy_from_slice(prefix);
    bytes[6..].copy_from_slice(&rest[..10]);
    uuid::Builder::from_bytes(bytes)
        .with_variant(uuid::Variant::RFC4122)
        .with_version(uuid::Version::Custom)
        .into_uuid()
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Display for CommandId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: CommandId = CommandId::new(Uuid::from_u128(0x0195d3a07bd270008000000000000001));

    fn stream(text: &str) -> StreamId {
        text.parse().unwrap()
    }

    // Computed by an independent program (Python's hashlib); they pin the storage format.
    #[test]
    fn event_ids_follow_from_the_command_id_as_they_always_did() {
        for (name, ordinal, id) in [
            ("order-7f3c", 0, "0195d3a0-7bd2-87ad-b143-0a8050d821f7"),
            ("order-7f3c", 1, "0195d3a0-7bd2-8df2-ae9d-5bb2ac61b91c"),
            ("acme/order-7f3c", 0, "0195d3a0-7bd2-8825-8a16-309321a443c3"),
            ("stock-HAT ☂", 999, "0195d3a0-7bd2-8f3e-a966-a3df9c910c99"),
        ] {
            assert_eq!(COMMAND.event(&stream(name), ordinal).to_string(), id, "{name} {ordinal}");
        }
        let cause = COMMAND.event(&stream("order-7f3c"), 0);
        let caused = CommandId::caused("reserve-stock", cause, &stream("stock-HAT"), 2);
        assert_eq!(caused.to_string(), "0195d3a0-7bd2-845f-af06-bc23e7e19f67");
        assert_eq!(CommandId::of_key("order 17").to_string(), "780756d8-018c-81c6-b43a-f64774b19f60");
    }

    #[test]
    fn derived_ids_keep_the_time_of_their_parent_and_say_version_8() {
        let id = COMMAND.event(&stream("order-1"), 0).uuid();
        assert_eq!(id.as_bytes()[..6], COMMAND.uuid().as_bytes()[..6]);
        assert_eq!((id.get_version_num(), id.get_variant()), (8, uuid::Variant::RFC4122));
    }

    #[test]
    fn a_key_known_with_its_time_sorts_by_that_time() {
        let at = |s| DateTime::from_timestamp(s, 0).unwrap();
        let (early, late) = (CommandId::of_key_at("b", at(1_000)), CommandId::of_key_at("a", at(2_000)));
        assert!(early < late);
        assert_ne!(CommandId::of_key_at("a", at(1_000)), CommandId::of_key_at("b", at(1_000)));
        assert_ne!(
            CommandId::of_key_at("a", at(-1_000)),
            CommandId::of_key_at("a", at(-2_000)),
            "before 1970 too"
        );
    }
}

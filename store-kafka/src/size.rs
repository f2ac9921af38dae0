//! How large a record is: what a broker compares with `max.message.bytes` is a batch, so the smallest it can be in.

use annals::RecordedEvent;
use rdkafka::message::{Headers, OwnedHeaders};

/// What a batch has in front of its records, in bytes: offset, length, checksum and all that they share.
const BATCH_BYTES: usize = 61;

/// Attributes, and what a record differs from its batch by in time and offset: nothing, for the first one.
const RECORD_BYTES: usize = 3;

/// More than the names of all headers, what they say of an event besides its texts, and all that a batch has.
const AROUND_BYTES: usize = 2_048;

/// How often the name of a stream is in a record, its key and its tenant counted as another one each.
const STREAM_TIMES: usize = 4;

/// No batch that holds the record of `event` alone has more bytes: told without looking at its headers, in which a
/// source of `source_bytes` may be.
pub(crate) fn may_take(event: &RecordedEvent, source_bytes: usize) -> usize {
    let names = STREAM_TIMES * event.stream.as_str().len() + 2 * event.event_type.len();
    AROUND_BYTES + names + source_bytes + event.payload.bytes() + event.metadata.bytes()
}

/// The bytes of a batch that holds this record alone, not compressed.
pub(crate) fn batch_of_one(key: &[u8], value: &[u8], headers: &OwnedHeaders) -> usize {
    let fields: usize = headers
        .iter()
        .map(|header| counted(header.key.len()) + counted(header.value.map_or(0, <[u8]>::len)))
        .sum();
    let record = RECORD_BYTES + counted(key.len()) + counted(value.len()) + varint(headers.count()) + fields;
    BATCH_BYTES + varint(record) + record
}

/// So many bytes, with their count in front.
fn counted(bytes: usize) -> usize {
    varint(bytes) + bytes
}

/// How many bytes a count takes: seven of its bits in each, one bit being lost to the sign.
fn varint(count: usize) -> usize {
    let bits = usize::BITS - (count << 1 | 1).leading_zeros();
    bits.div_ceil(7) as usize
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{CloudEvents, headers::HeaderWriter, running::key_of};
    use annals::{EventData, EventId, Json, PlaceInCommit, Position, StreamId, Version};

    #[test]
    fn no_record_is_larger_than_it_may_be() {
        let long = "k".repeat(annals::KEY_BYTES_MAX);
        let name = "n".repeat(annals::NAME_BYTES_MAX);
        let wide = StreamId::of(Some(&name), &name, &long).unwrap();
        let metadata = format!(
            r#"{{"correlation_id":"{}","causation_id":"c","traceparent":"{}"}}"#,
            "i".repeat(9_000),
            "t".repeat(999)
        );
        let source = "s".repeat(700);
        for (stream, event_type, metadata, source) in [
            (StreamId::new("a", "b").unwrap(), "t".to_string(), "{}".to_string(), None),
            (wide.clone(), "t".repeat(annals::EVENT_TYPE_BYTES_MAX), metadata.clone(), None),
            (wide, "t".repeat(annals::EVENT_TYPE_BYTES_MAX), metadata, Some(source)),
        ] {
            let data = EventData::raw(EventId::random(), &*event_type, u32::MAX, Json::parse("[1]").unwrap());
            let data = data.with_metadata(Json::parse(&metadata).unwrap());
            let (last, commit) = (u64::MAX >> 1, PlaceInCommit { index: 0, size: 1 });
            let event = RecordedEvent::new(
                stream,
                Version::new(last),
                Position::new(last),
                commit,
                chrono::DateTime::<chrono::Utc>::MAX_UTC,
                data,
            );
            let source_bytes = source.as_ref().map_or(0, String::len);
            let mut writer = HeaderWriter::new(source.map(|source| CloudEvents { source }));
            let headers = writer.write(&event, Position::new(last), true);
            let value = event.payload.as_str().as_bytes();
            let exact = batch_of_one(key_of(&event).as_bytes(), value, &headers);
            let most = may_take(&event, source_bytes);
            assert!(exact <= most, "{exact} bytes, more than {most}");
        }
    }

    #[test]
    fn counts_take_as_much_as_they_must() {
        let sizes = [(0, 1), (63, 1), (64, 2), (8_191, 2), (8_192, 3), (1 << 20, 4)];
        assert!(sizes.into_iter().all(|(count, bytes)| varint(count) == bytes));
    }
}

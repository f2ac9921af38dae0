//! How large a record is: what a broker compares with `max.message.bytes` is a batch, so the smallest it can be in.

use rdkafka::message::{Headers, OwnedHeaders};

/// What a batch has in front of its records, in bytes: offset, length, checksum and all that they share.
const BATCH_BYTES: usize = 61;

/// Attributes, and what a record differs from its batch by in time and offset: nothing, for the first one.
const RECORD_BYTES: usize = 3;

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

    #[test]
    fn counts_take_as_much_as_they_must() {
        let sizes = [(0, 1), (63, 1), (64, 2), (8_191, 2), (8_192, 3), (1 << 20, 4)];
        assert!(sizes.into_iter().all(|(count, bytes)| varint(count) == bytes));
    }
}

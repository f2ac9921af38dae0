//! Which partition a key belongs to, as Kafka's own clients in Java compute it.

/// The partition of `key` among `partitions`: the one that the default partitioner of Kafka's Java clients takes, so
/// that whoever writes to the same topic from elsewhere puts the same key where we do.
///
/// `partitions` is at least 1; 0 counts as 1.
///
/// # Source
/// `BuiltInPartitioner.partitionForKey` of Apache Kafka: 31 bits of murmur2, modulo the number of partitions.
pub fn partition_of(key: &[u8], partitions: u32) -> u32 {
    (murmur2(key) & 0x7fff_ffff) % partitions.max(1)
}

const SEED: u32 = 0x9747_b28c;
const M: u32 = 0x5bd1_e995;
const R: u32 = 24;

/// Austin Appleby's MurmurHash2 of 32 bits, with the seed of Kafka's `Utils.murmur2`.
fn murmur2(data: &[u8]) -> u32 {
    let mut words = data.chunks_exact(4);
    let mut hash = words.by_ref().fold(SEED ^ data.len() as u32, |hash, word| {
        let word = u32::from_le_bytes([word[0], word[1], word[2], word[3]]).wrapping_mul(M);
        hash.wrapping_mul(M) ^ (word ^ (word >> R)).wrapping_mul(M)
    });
    let rest = words.remainder();
    if !rest.is_empty() {
        let tail = rest.iter().rev().fold(0, |tail, byte| (tail << 8) | u32::from(*byte));
        hash = (hash ^ tail).wrapping_mul(M);
    }
    hash = (hash ^ (hash >> 13)).wrapping_mul(M);
    hash ^ (hash >> 15)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// From `UtilsTest.testMurmur2` of Apache Kafka.
    #[test]
    fn it_is_the_hash_of_kafkas_java_clients() {
        let published: [(&[u8], i32); 6] = [
            (b"21", -973_932_308),
            (b"foobar", -790_332_482),
            (b"a-little-bit-long-string", -985_981_536),
            (b"a-little-bit-longer-string", -1_486_304_829),
            (b"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58_897_971),
            (b"abc", 479_470_107),
        ];
        for (key, hash) in published {
            assert_eq!(murmur2(key) as i32, hash, "{}", String::from_utf8_lossy(key));
        }
    }

    #[test]
    fn every_key_has_a_partition_also_where_the_hash_is_negative() {
        assert_eq!(partition_of(b"21", 8), (-973_932_308_i32 as u32 & 0x7fff_ffff) % 8);
        assert!((0..1_000).all(|n: u32| partition_of(&n.to_be_bytes(), 7) < 7));
        assert_eq!(partition_of(b"any", 0), 0);
    }
}

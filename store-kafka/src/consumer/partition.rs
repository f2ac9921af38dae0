//! One partition of one topic, and what its part is called.

use std::{fmt, sync::Arc};

/// One partition of one topic.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Partition {
    pub(crate) topic: Arc<str>,
    pub(crate) number: i32,
}

impl Partition {
    /// The name of its part, behind that of the handler: fits the grammar of subscribers, which names of topics need
    /// not.
    pub(crate) fn part(&self) -> String {
        format!("{:08x}-{}", hash(&self.topic), self.number)
    }
}

impl fmt::Display for Partition {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.topic, self.number)
    }
}

/// FNV-1a of 64 bits, stirred, of which the upper half counts. A storage contract: checkpoints are found by it.
pub(crate) fn hash(topic: &str) -> u32 {
    let hash = topic.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let stirred = (hash ^ (hash >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    (stirred >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_called_alike_for_ever() {
        let part = |topic: &str, number| Partition { topic: topic.into(), number }.part();
        assert_eq!(part("order", 0), "563ad910-0");
        assert_eq!(part("shop.Order_1", 31), "b975a5d2-31");
    }
}

//! Whether records of a partition follow each other without a gap.

use crate::Incoming;
use annals::Position;

/// What a consumer remembers of one partition to know that nothing is lost, repeated or out of order: one number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Chain {
    last: Position,
}

/// How a record follows those before it in its partition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It is the next one.
    Next,
    /// It, or one behind it, was seen before: it is to be passed over.
    Repeated,
    /// Something is missing in front of it.
    Lost {
        /// The position of the last record that was seen.
        last: Position,
        /// The position of the record that should have come before this one.
        previous: Position,
    },
    /// It claims to follow a record that others have followed: another publisher writes to the partition, or one that
    /// was replaced.
    Forked {
        /// The position of the last record that was seen.
        last: Position,
        /// The position of the record that it claims to follow.
        previous: Position,
    },
}

impl Chain {
    /// Of a partition of which everything up to the record of position `last` was seen; `START`: nothing.
    pub const fn behind(last: Position) -> Self {
        Self { last }
    }

    /// The position of the last record that was seen.
    pub const fn last(self) -> Position {
        self.last
    }

    /// How `record` follows; only [`Link::Next`] moves the chain.
    pub fn see(&mut self, record: &Incoming) -> Link {
        let (position, previous, last) = (record.event.position, record.previous, self.last);
        if position <= last {
            return Link::Repeated;
        }
        match previous.cmp(&last) {
            std::cmp::Ordering::Equal => {
                self.last = position;
                Link::Next
            }
            std::cmp::Ordering::Greater => Link::Lost { last, previous },
            std::cmp::Ordering::Less => Link::Forked { last, previous },
        }
    }
}

use super::PIECES_MAX;
use serde::{Deserialize, Serialize};

/// Why the count of an article was not corrected, with the figures of that moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
pub enum AdjustmentRefusal {
    /// What would be left does not cover what is promised.
    #[error("of {on_hand} pieces on hand {reserved} are promised to orders")]
    BelowReserved {
        /// Pieces in the warehouse.
        on_hand: u64,
        /// Of these promised.
        reserved: u64,
    },
    /// More than the books can hold.
    #[error("the count was corrected by {adjusted} so far, at most {PIECES_MAX} are allowed")]
    TooMuch {
        /// Corrections so far.
        adjusted: i64,
    },
}

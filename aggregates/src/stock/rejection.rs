use super::PIECES_MAX;
use crate::TextError;

/// Why the stock of an article says no. Too few pieces, for an order or to correct the count, are no rejection
/// but an event.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StockRejection {
    /// Nothing to do anything with.
    #[error("cannot {asked} 0 pieces")]
    NoQuantity {
        /// What was asked for.
        asked: &'static str,
    },
    /// More than the books can hold.
    #[error("{received} pieces were received, with {quantity} more they exceed {PIECES_MAX}")]
    TooMany {
        /// Received so far.
        received: u64,
        /// On top of that.
        quantity: u64,
    },
    /// More than the books can hold.
    #[error("cannot correct by {delta}: at most {PIECES_MAX} are allowed")]
    TooMuch {
        /// The correction asked for.
        delta: i64,
    },
    /// Nothing is promised to the order.
    #[error("nothing is reserved for order {order}")]
    NotReserved {
        /// Its number.
        order: String,
    },
    /// What left cannot be released.
    #[error("{quantity} pieces have left with order {order} and cannot be released")]
    AlreadyShipped {
        /// Its number.
        order: String,
        /// How many pieces.
        quantity: u64,
    },
    /// An order number, reason or reference cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
}

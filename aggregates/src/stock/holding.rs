use serde::{Deserialize, Serialize};

/// What became of an order's request for pieces of one article.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Holding {
    /// Promised, and in the warehouse.
    Reserved {
        /// How many pieces.
        quantity: u64,
    },
    /// Not promised: too few were free. Final.
    Refused,
    /// Given back, or called off before it was asked for. Final.
    Released,
    /// Gone with the order. Final.
    Shipped {
        /// How many pieces.
        quantity: u64,
    },
}

use super::AdjustmentRefusal;
use annals::DomainEvent;
use serde::{Deserialize, Serialize};

/// What can happen to the stock of an article.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum StockEvent {
    /// Pieces came in.
    Received {
        /// How many.
        quantity: u64,
        /// What brought them.
        reference: String,
    },
    /// Pieces are promised to an order.
    Reserved {
        /// Its number.
        order: String,
        /// How many.
        quantity: u64,
    },
    /// An order got nothing: too few pieces were free.
    ReservationRefused {
        /// Its number.
        order: String,
        /// How many it asked for.
        quantity: u64,
        /// How many were free.
        available: u64,
    },
    /// What was promised to an order is free again.
    Released {
        /// Its number.
        order: String,
        /// How many; 0 when the order was called off before it was promised anything.
        quantity: u64,
    },
    /// Pieces left with an order.
    Shipped {
        /// Its number.
        order: String,
        /// How many.
        quantity: u64,
    },
    /// The count was corrected.
    Adjusted {
        /// By how many.
        delta: i64,
        /// Why.
        reason: String,
    },
    /// The count was not corrected. It is remembered, so that the same command is not decided anew when there is more.
    AdjustmentRefused {
        /// By how many it was to be.
        delta: i64,
        /// Why it was to be.
        reason: String,
        /// Why it was not.
        refusal: AdjustmentRefusal,
    },
}

impl DomainEvent for StockEvent {
    const CATEGORY: &'static str = "stock";
}

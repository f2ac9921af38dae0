use serde::{Deserialize, Serialize};
use std::fmt;

/// How far an order has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderStatus {
    /// Not placed yet.
    #[default]
    New,
    /// Waiting for the stock.
    Placed,
    /// All of its articles are reserved.
    Confirmed,
    /// Over: for lack of stock, or on request.
    Cancelled,
    /// On its way.
    Shipped,
    /// At the customer's.
    Delivered,
    /// Come back as a whole.
    Returned,
}

impl OrderStatus {
    /// Whether nothing changes the order any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Cancelled | Self::Returned)
    }
}

impl fmt::Display for OrderStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::New => "new",
            Self::Placed => "placed",
            Self::Confirmed => "confirmed",
            Self::Cancelled => "cancelled",
            Self::Shipped => "shipped",
            Self::Delivered => "delivered",
            Self::Returned => "returned",
        })
    }
}

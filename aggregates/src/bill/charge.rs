use serde::{Deserialize, Serialize};

/// Postage, a fee or a discount: on the bill, but no goods; needs no stock.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Charge {
    /// The number of its line within the bill.
    pub line: u32,
    /// What kind, as `POST`.
    pub code: String,
    /// What for; may be empty.
    pub description: String,
    /// How many; only told, as the amount is for all of them.
    pub quantity: i64,
    /// What it adds to the total of the order, or of the refund: in minor units, for all of its quantity; negative
    /// for what is taken off, as discounts on an order.
    pub amount_minor: i64,
}

use crate::{Charge, Currency, Line, Sku};
use chrono::{DateTime, Utc};

/// What an order can be asked to do. `occurred_at` is business time.
#[derive(Debug, Clone, PartialEq)]
pub enum OrderCommand {
    /// Place it. Refused when it was placed before: true repeats are recognised by their command id.
    Place {
        /// Who ordered; `None` for a guest.
        customer: Option<String>,
        /// Where to.
        country: Option<String>,
        /// Of all its amounts.
        currency: Currency,
        /// Its goods: 1 to [`LINES_MAX`](crate::LINES_MAX).
        lines: Vec<Line>,
        /// What else is on the bill: at most [`CHARGES_MAX`](crate::CHARGES_MAX).
        charges: Vec<Charge>,
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// Note what the stock answered for one article. The last reservation confirms the order, the first refusal
    /// cancels it; afterwards answers change nothing.
    RecordReservation {
        /// Which article.
        sku: Sku,
        /// What it answered.
        outcome: Outcome,
        /// When it answered.
        occurred_at: DateTime<Utc>,
    },
    /// Call it off, before it is shipped.
    Cancel {
        /// Why.
        reason: String,
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// Hand a confirmed order to the carrier.
    Ship {
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// Note that a shipped order has arrived.
    Deliver {
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// Note that a delivered order came back as a whole.
    Return {
        /// When.
        occurred_at: DateTime<Utc>,
    },
}

/// What the stock answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// All pieces are reserved.
    Reserved,
    /// None is.
    Refused {
        /// How many pieces were free.
        available: u64,
    },
}

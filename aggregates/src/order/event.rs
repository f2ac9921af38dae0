use crate::{Charge, Currency, Line, Sku};
use annals::DomainEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::fmt;

/// What can happen to an order. `occurred_at` is business time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum OrderEvent {
    /// It was placed; waits for the stock.
    Placed {
        /// Who ordered; `None` for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// Where to.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        country: Option<String>,
        /// Of all its amounts.
        currency: Currency,
        /// Its goods.
        lines: Vec<Line>,
        /// What else is on the bill.
        charges: Vec<Charge>,
        /// The sum of lines and charges, in minor units. Never changes.
        total_minor: i64,
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// All pieces of one article are reserved.
    SkuReserved {
        /// Which article.
        sku: Sku,
    },
    /// All of its articles are reserved.
    Confirmed {
        /// When the last one was.
        occurred_at: DateTime<Utc>,
    },
    /// It is over.
    Cancelled {
        /// Why.
        reason: CancelReason,
        /// Who ordered; `None` for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// Its articles: what may be reserved for it is to be released.
        skus: Vec<Sku>,
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// It was handed to the carrier.
    Shipped {
        /// Its articles: what is reserved for it has left.
        skus: Vec<Sku>,
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// It arrived.
    Delivered {
        /// When.
        occurred_at: DateTime<Utc>,
    },
    /// It came back as a whole.
    Returned {
        /// Who ordered; `None` for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// The goods that came back.
        lines: Vec<Line>,
        /// Of their prices.
        currency: Currency,
        /// When.
        occurred_at: DateTime<Utc>,
    },
}

/// Why an order was cancelled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum CancelReason {
    /// The stock could not reserve an article.
    OutOfStock {
        /// Which article; the first one that was refused.
        sku: Sku,
        /// How many pieces the order asked for.
        asked: u64,
        /// How many were free.
        available: u64,
    },
    /// Somebody asked for it.
    Requested {
        /// Why, in their words.
        why: String,
    },
}

impl DomainEvent for OrderEvent {
    const CATEGORY: &'static str = "order";
}

impl fmt::Display for CancelReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OutOfStock { sku, asked, available } => {
                write!(f, "only {available} of SKU {sku} were free, {asked} were asked for")
            }
            Self::Requested { why } => f.write_str(why),
        }
    }
}

use crate::{Charge, Currency, Line};
use annals::DomainEvent;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// What can happen to a return.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum ReturnEvent {
    /// The parcel was taken in.
    Accepted {
        /// Who sent it; `None` for a guest.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        customer: Option<String>,
        /// Of all its amounts.
        currency: Currency,
        /// The goods that came back.
        lines: Vec<Line>,
        /// What else is given back.
        charges: Vec<Charge>,
        /// The sum of lines and charges, in minor units. Never changes.
        refund_minor: i64,
        /// When, in business time.
        occurred_at: DateTime<Utc>,
    },
}

impl DomainEvent for ReturnEvent {
    const CATEGORY: &'static str = "return";
}

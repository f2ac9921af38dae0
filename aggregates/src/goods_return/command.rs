use crate::{Charge, Currency, Line};
use chrono::{DateTime, Utc};

/// What a return can be asked to do.
#[derive(Debug, Clone, PartialEq)]
pub enum ReturnCommand {
    /// Take the parcel in. Refused when it was taken in before: true repeats are recognised by their command id.
    Accept {
        /// Who sent it; `None` for a guest.
        customer: Option<String>,
        /// Of all its amounts.
        currency: Currency,
        /// The goods that came back, in positive quantities: at most [`LINES_MAX`](crate::LINES_MAX). None when only
        /// charges are credited.
        lines: Vec<Line>,
        /// What else is given back, with positive amounts: at most [`CHARGES_MAX`](crate::CHARGES_MAX).
        charges: Vec<Charge>,
        /// When, in business time.
        occurred_at: DateTime<Utc>,
    },
}

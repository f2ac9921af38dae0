use crate::Money;
use annals::DomainEvent;
use serde::{Deserialize, Serialize};

/// What can happen to a payment.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum PaymentEvent {
    /// The issuer promised the amount.
    Authorised {
        /// The number of the order.
        order: String,
        /// How much.
        amount: Money,
    },
    /// The issuer refused.
    Declined {
        /// Why.
        reason: String,
    },
    /// Money was taken.
    Captured {
        /// How much.
        amount: Money,
    },
    /// Money was given back.
    Refunded {
        /// How much.
        amount: Money,
    },
}

impl DomainEvent for PaymentEvent {
    const CATEGORY: &'static str = "payment";
}

use crate::Money;

/// What a payment can be asked to do. Amounts are above 0.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentCommand {
    /// Note the issuer's promise, for an order.
    Authorise {
        /// The number of the order.
        order: String,
        /// How much.
        amount: Money,
    },
    /// Note that the issuer refuses, or takes its promise back; only before anything is captured.
    Decline {
        /// Why.
        reason: String,
    },
    /// Take money, in full or in part.
    Capture {
        /// How much; no more than is authorised and not captured yet.
        amount: Money,
    },
    /// Give money back, in full or in part.
    Refund {
        /// How much; no more than is captured and not refunded yet.
        amount: Money,
    },
}

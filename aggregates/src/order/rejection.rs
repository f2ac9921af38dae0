use super::OrderStatus;
use crate::{BillRejection, Sku, TextError};

/// Why an order says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OrderRejection {
    /// It was placed before.
    #[error("the order was already placed and is {status}")]
    AlreadyPlaced {
        /// How far it has come since.
        status: OrderStatus,
    },
    /// It was never placed.
    #[error("the order was not placed")]
    NotPlaced,
    /// It has not come so far, or has gone too far.
    #[error("cannot {asked} an order that is {status}")]
    NotNow {
        /// What it was asked to do.
        asked: &'static str,
        /// How far it has come.
        status: OrderStatus,
    },
    /// There are no goods on it.
    #[error("an order needs at least 1 line of goods, 0 were given")]
    NoLines,
    /// Its lines or charges cannot be taken.
    #[error(transparent)]
    Bill(#[from] BillRejection),
    /// A name or reason cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// The stock answered for an article that is not on it.
    #[error("SKU {sku} is not on the order")]
    NotOrdered {
        /// Which article.
        sku: Sku,
    },
}

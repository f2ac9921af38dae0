use super::{CHARGES_MAX, LINES_MAX};
use crate::{MoneyError, Sku, TextError};

/// Why a bill is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum BillRejection {
    /// There are too many lines on it.
    #[error("{lines} lines were given, at most {LINES_MAX} are allowed")]
    TooManyLines {
        /// How many.
        lines: usize,
    },
    /// There are too many charges on it.
    #[error("{charges} charges were given, at most {CHARGES_MAX} are allowed")]
    TooManyCharges {
        /// How many.
        charges: usize,
    },
    /// A line asks for nothing.
    #[error("line {line}: 0 pieces of SKU {sku} were given, at least 1 is needed")]
    NoQuantity {
        /// The number of the line.
        line: u32,
        /// Its article.
        sku: Sku,
    },
    /// A line has a price below 0.
    #[error("line {line}: the price of SKU {sku} is {unit_price_minor} minor units, at least 0 is needed")]
    NegativePrice {
        /// The number of the line.
        line: u32,
        /// Its article.
        sku: Sku,
        /// Its price.
        unit_price_minor: i64,
    },
    /// A name, code or description cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Its amounts do not add up to an amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

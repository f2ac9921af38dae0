use crate::{Currency, Money, MoneyError, Sku};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Goods on an order or a return. One article may stand on several lines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// Its number within the bill.
    pub line: u32,
    /// Which article.
    pub sku: Sku,
    /// What the article was called then; may be empty.
    pub description: String,
    /// How many pieces, at least 1.
    pub quantity: u32,
    /// The price of one piece in minor units, at least 0.
    pub unit_price_minor: i64,
}

impl Line {
    /// Quantity times price.
    pub fn amount(&self, currency: Currency) -> Result<Money, MoneyError> {
        Money::new(self.unit_price_minor, currency).times(self.quantity)
    }
}

/// The pieces of each article, over all lines. Exact up to 2³² lines.
pub fn pieces_by_sku(lines: &[Line]) -> BTreeMap<Sku, u64> {
    let mut pieces = BTreeMap::new();
    for line in lines {
        let sum: &mut u64 = pieces.entry(line.sku.clone()).or_default();
        *sum = sum.saturating_add(u64::from(line.quantity));
    }
    pieces
}

/// The sum of quantity times price over `lines`, in minor units of `currency`.
///
/// # Errors
/// When it does not fit, which no order or return that was accepted can bring about.
pub fn goods_minor<'a>(
    lines: impl IntoIterator<Item = &'a Line>,
    currency: Currency,
) -> Result<i64, MoneyError> {
    let mut sum = Money::zero(currency);
    for line in lines {
        sum = sum.plus(line.amount(currency)?)?;
    }
    Ok(sum.minor)
}

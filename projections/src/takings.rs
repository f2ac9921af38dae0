//! Amounts of goods sold and returned, by currency.

use annals::ProjectError;
use northwind_aggregates::{Currency, Line, goods_minor};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// Goods sold and returned, in minor units.
///
/// The document is kept in the currency of its first amount; amounts in others are counted apart and never added up
/// with it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Takings {
    /// Of the two amounts beside it.
    pub currency: Currency,
    /// Goods of orders as placed.
    pub gross_minor: i64,
    /// Goods that came back.
    pub refund_minor: i64,
    /// The same in other currencies.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub other_currencies: BTreeMap<Currency, Amounts>,
}

/// The two amounts in one of the other currencies.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Amounts {
    /// Goods of orders as placed.
    pub gross_minor: i64,
    /// Goods that came back.
    pub refund_minor: i64,
}

impl Takings {
    /// Nothing yet, in `currency`.
    pub(crate) fn in_currency(currency: Currency) -> Self {
        Self { currency, gross_minor: 0, refund_minor: 0, other_currencies: BTreeMap::new() }
    }

    /// Counts goods that were sold.
    pub(crate) fn sell<'a>(
        &mut self,
        lines: impl IntoIterator<Item = &'a Line>,
        currency: Currency,
    ) -> Result<(), ProjectError> {
        let (gross, _) = self.amounts(currency);
        add(gross, sum(lines, currency)?)
    }

    /// Counts goods that came back.
    pub(crate) fn refund<'a>(
        &mut self,
        lines: impl IntoIterator<Item = &'a Line>,
        currency: Currency,
    ) -> Result<(), ProjectError> {
        let (_, refund) = self.amounts(currency);
        add(refund, sum(lines, currency)?)
    }

    fn amounts(&mut self, currency: Currency) -> (&mut i64, &mut i64) {
        if currency == self.currency {
            return (&mut self.gross_minor, &mut self.refund_minor);
        }
        let other = self.other_currencies.entry(currency).or_default();
        (&mut other.gross_minor, &mut other.refund_minor)
    }
}

fn sum<'a>(lines: impl IntoIterator<Item = &'a Line>, currency: Currency) -> Result<i64, ProjectError> {
    goods_minor(lines, currency).map_err(|error| ProjectError::because("the goods do not add up", error))
}

fn add(sum: &mut i64, minor: i64) -> Result<(), ProjectError> {
    let too_much =
        || ProjectError::new(format!("{sum} and {minor} minor units are more than an amount can hold"));
    *sum = sum.checked_add(minor).ok_or_else(too_much)?;
    Ok(())
}

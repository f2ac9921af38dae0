//! A burst of orders for demonstrations, measurements and tests: the same terms give the same burst.

use crate::{Currency, Line, OrderCommand, Sku, StockCommand};
use chrono::{DateTime, TimeDelta, Utc};
use fastrand::Rng;

/// The most orders in a burst.
pub const BURST_ORDERS_MAX: u32 = 10_000_000;

/// The most articles in a burst.
pub const BURST_SKUS_MAX: u32 = 100_000;

/// Orders have 1 to this many lines.
const LINES_PER_ORDER_MAX: u32 = 4;

/// Lines ask for 1 to this many pieces.
const PIECES_PER_LINE_MAX: u32 = 3;

/// One order in this many is a guest's.
const GUEST_EVERY: u32 = 10;

/// The weight of the article in most demand.
const WEIGHT_MAX: u64 = 1 << 32;

/// What a burst is made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BurstTerms {
    /// How many orders, 1 to [`BURST_ORDERS_MAX`].
    pub orders: u32,
    /// Of how many articles, 1 to [`BURST_SKUS_MAX`].
    pub skus: u32,
    /// Another seed makes another burst, with other order numbers.
    pub seed: u64,
    /// When the first order is placed; one follows each second.
    pub start: DateTime<Utc>,
}

/// Why no burst can be made from some terms.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a burst of {asked} {what} cannot be made: 1 to {max} are allowed")]
pub struct BurstTermsError {
    what: &'static str,
    asked: u32,
    max: u32,
}

/// Many orders of few hot articles: the demand for the n-th article is one n-th of that for the first. Every second
/// article has less stock than is asked for, so it runs out.
///
/// A pure function of its terms, as long as the generator behind it stays the same (`fastrand`, pinned by the lock
/// file). Holds 8 bytes per article and makes orders one at a time.
///
/// ```
/// use northwind_aggregates::{Burst, BurstTerms};
/// let start = chrono::DateTime::UNIX_EPOCH;
/// let burst = Burst::new(BurstTerms { orders: 100, skus: 5, seed: 7, start })?;
/// assert_eq!((burst.opening_stock().count(), burst.orders().count()), (5, 100));
/// # Ok::<(), northwind_aggregates::BurstTermsError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Burst {
    terms: BurstTerms,
    /// For each article the sum of the weights up to and with its own.
    weights: Vec<u64>,
}

impl Burst {
    /// The burst of these terms.
    ///
    /// # Errors
    /// When there are no or too many orders or articles.
    pub fn new(terms: BurstTerms) -> Result<Self, BurstTermsError> {
        check("orders", terms.orders, BURST_ORDERS_MAX)?;
        check("SKUs", terms.skus, BURST_SKUS_MAX)?;
        let mut sum = 0;
        let weights = (1..=u64::from(terms.skus))
            .map(|rank| {
                sum += WEIGHT_MAX / rank;
                sum
            })
            .collect();
        Ok(Self { terms, weights })
    }

    /// What is received of each article before the burst: about three quarters of what will be asked for, or half as
    /// much again, in turn.
    pub fn opening_stock(&self) -> impl Iterator<Item = (Sku, StockCommand)> + '_ {
        (0..self.terms.skus).map(|index| {
            let share = if index % 2 == 0 { 3 } else { 6 };
            let quantity = self.expected_pieces(index) * share / 4 + 1;
            let reference = format!("opening stock {}", self.terms.seed);
            (sku(index), StockCommand::Receive { quantity, reference })
        })
    }

    /// The order numbers and the commands that place them, in business time.
    pub fn orders(&self) -> impl Iterator<Item = (String, OrderCommand)> + '_ {
        let mut rng = Rng::with_seed(self.terms.seed);
        (0..self.terms.orders).map(move |index| {
            let number = format!("B{}-{:07}", self.terms.seed, index + 1);
            (number, self.place(index, &mut rng))
        })
    }

    fn place(&self, index: u32, rng: &mut Rng) -> OrderCommand {
        let customer = (rng.u32(..GUEST_EVERY) > 0).then(|| format!("{}", 10_000 + rng.u32(..1_000)));
        let lines = (1..=rng.u32(1..=LINES_PER_ORDER_MAX)).map(|line| self.line(line, rng)).collect();
        OrderCommand::Place {
            customer,
            country: Some("United Kingdom".into()),
            currency: Currency::GBP,
            lines,
            charges: vec![],
            occurred_at: self
                .terms
                .start
                .checked_add_signed(TimeDelta::seconds(i64::from(index)))
                .unwrap_or(self.terms.start),
        }
    }

    fn line(&self, line: u32, rng: &mut Rng) -> Line {
        let drawn = rng.u64(..self.total_weight());
        let index = self.weights.partition_point(|sum| *sum <= drawn) as u32;
        Line {
            line,
            sku: sku(index),
            description: format!("Article {}", index + 1),
            quantity: rng.u32(1..=PIECES_PER_LINE_MAX),
            unit_price_minor: 99 + i64::from(index % 50) * 25,
        }
    }

    fn expected_pieces(&self, index: u32) -> u64 {
        let lines = u64::from(self.terms.orders) * u64::from(1 + LINES_PER_ORDER_MAX) / 2;
        let pieces = lines * u64::from(1 + PIECES_PER_LINE_MAX) / 2;
        let weight = WEIGHT_MAX / (u64::from(index) + 1);
        let share = u128::from(pieces) * u128::from(weight) / u128::from(self.total_weight());
        u64::try_from(share).expect("a share of the pieces is no more than all of them")
    }

    fn total_weight(&self) -> u64 {
        self.weights.last().copied().expect("there is at least one article, checked when it was made")
    }
}

fn check(what: &'static str, asked: u32, max: u32) -> Result<(), BurstTermsError> {
    if (1..=max).contains(&asked) { Ok(()) } else { Err(BurstTermsError { what, asked, max }) }
}

fn sku(index: u32) -> Sku {
    Sku::new(&format!("NW-{:06}", index + 1)).expect("nine ASCII characters name an article")
}

#[cfg(test)]
mod tests;

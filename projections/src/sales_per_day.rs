//! What was sold and came back on each day.

use crate::{Takings, TradeEvent, day::day_of};
use annals::{Column, Keys, ProjectError, Projection, RecordedEvent};
use northwind_aggregates::{Currency, OrderEvent, ReturnEvent};
use serde::{Deserialize, Serialize};

/// The read model `sales-per-day`, by day of business time in UTC (`2010-12-01`).
#[derive(Debug, Clone, Copy, Default)]
pub struct SalesPerDay;

/// One day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SalesPerDayDocument {
    /// Its key.
    pub day: String,
    /// Orders placed.
    pub orders: u64,
    /// Lines of goods on them.
    pub lines: u64,
    /// Returns taken in, also those that only credit charges.
    pub returns: u64,
    /// What goods were sold and came back for.
    #[serde(flatten)]
    pub takings: Takings,
}

impl Projection for SalesPerDay {
    const NAME: &'static str = "sales-per-day";

    const COLUMNS: &'static [Column] = &[
        Column::date("day").indexed(),
        Column::integer("orders"),
        Column::integer("lines"),
        Column::integer("returns"),
        Column::text("currency"),
        Column::integer("gross_minor"),
        Column::integer("refund_minor"),
        Column::json("other_currencies"),
    ];

    type Event = TradeEvent;
    type Document = SalesPerDayDocument;

    fn keys(&self, event: &TradeEvent, _: &RecordedEvent) -> Keys {
        match event {
            TradeEvent::Order(
                OrderEvent::Placed { occurred_at, .. } | OrderEvent::Returned { occurred_at, .. },
            )
            | TradeEvent::Return(ReturnEvent::Accepted { occurred_at, .. }) => day_of(occurred_at).into(),
            TradeEvent::Order(_) => Keys::none(),
        }
    }

    fn project(
        &self,
        key: &str,
        before: Option<SalesPerDayDocument>,
        event: &TradeEvent,
        _: &RecordedEvent,
    ) -> Result<Option<SalesPerDayDocument>, ProjectError> {
        match event {
            TradeEvent::Order(OrderEvent::Placed { lines, currency, .. }) => {
                let mut day = before.unwrap_or_else(|| empty(key, *currency));
                day.orders += 1;
                day.lines += lines.len() as u64;
                day.takings.sell(lines, *currency)?;
                Ok(Some(day))
            }
            TradeEvent::Order(OrderEvent::Returned { lines, currency, .. })
            | TradeEvent::Return(ReturnEvent::Accepted { lines, currency, .. }) => {
                let mut day = before.unwrap_or_else(|| empty(key, *currency));
                day.returns += 1;
                day.takings.refund(lines, *currency)?;
                Ok(Some(day))
            }
            TradeEvent::Order(_) => Ok(before),
        }
    }
}

fn empty(day: &str, currency: Currency) -> SalesPerDayDocument {
    SalesPerDayDocument {
        day: day.into(),
        orders: 0,
        lines: 0,
        returns: 0,
        takings: Takings::in_currency(currency),
    }
}

//! What each customer ordered and sent back.

use crate::{Takings, TradeEvent};
use annals::{Column, Keys, ProjectError, Projection, RecordedEvent};
use chrono::{DateTime, Utc};
use northwind_aggregates::{Currency, Line, OrderEvent, ReturnEvent};
use serde::{Deserialize, Serialize};
use std::collections::VecDeque;

/// The key under which orders without a customer are counted.
pub const GUEST: &str = "guest";

/// How many orders a document lists; older ones are only counted, so that it stays small whoever orders.
pub const LAST_ORDERS_MAX: usize = 100;

/// The read model `customer-orders`, by customer; those without one under [`GUEST`].
#[derive(Debug, Clone, Copy, Default)]
pub struct CustomerOrders;

/// One customer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CustomerOrdersDocument {
    /// Its key.
    pub customer: String,
    /// Orders placed.
    pub orders: u64,
    /// Of these cancelled.
    pub cancelled: u64,
    /// Orders that came back as a whole, and returns without a known order.
    pub returns: u64,
    /// What goods were sold and came back for.
    #[serde(flatten)]
    pub takings: Takings,
    /// The last orders in the order of the log, newest last: at most [`LAST_ORDERS_MAX`].
    pub last_orders: VecDeque<PlacedOrder>,
}

/// One order of a customer; `orders` tells more of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedOrder {
    /// Its number.
    pub order: String,
    /// When, in business time.
    pub placed_at: DateTime<Utc>,
    /// Lines of goods on it.
    pub lines: u64,
    /// The sum of its lines and charges.
    pub total_minor: i64,
    /// Of the total.
    pub currency: Currency,
    /// Whether it was cancelled since.
    pub cancelled: bool,
}

impl Projection for CustomerOrders {
    const NAME: &'static str = "customer-orders";

    const COLUMNS: &'static [Column] = &[
        Column::integer("orders"),
        Column::integer("cancelled"),
        Column::integer("returns"),
        Column::text("currency"),
        Column::integer("gross_minor").indexed(),
        Column::integer("refund_minor"),
        Column::json("other_currencies"),
        Column::json("last_orders"),
    ];

    type Event = TradeEvent;
    type Document = CustomerOrdersDocument;

    fn keys(&self, event: &TradeEvent, _: &RecordedEvent) -> Keys {
        match event {
            TradeEvent::Order(
                OrderEvent::Placed { customer, .. }
                | OrderEvent::Cancelled { customer, .. }
                | OrderEvent::Returned { customer, .. },
            )
            | TradeEvent::Return(ReturnEvent::Accepted { customer, .. }) => {
                customer.as_deref().unwrap_or(GUEST).into()
            }
            TradeEvent::Order(_) => Keys::none(),
        }
    }

    fn project(
        &self,
        key: &str,
        before: Option<CustomerOrdersDocument>,
        event: &TradeEvent,
        recorded: &RecordedEvent,
    ) -> Result<Option<CustomerOrdersDocument>, ProjectError> {
        let new = |currency| empty(key, currency);
        match event {
            TradeEvent::Order(OrderEvent::Placed { currency, lines, total_minor, occurred_at, .. }) => {
                let order = PlacedOrder {
                    order: recorded.key().into(),
                    placed_at: *occurred_at,
                    lines: lines.len() as u64,
                    total_minor: *total_minor,
                    currency: *currency,
                    cancelled: false,
                };
                before.unwrap_or_else(|| new(*currency)).place(lines, order).map(Some)
            }
            TradeEvent::Order(OrderEvent::Cancelled { .. }) => {
                Ok(before.map(|customer| customer.cancel(recorded.key())))
            }
            TradeEvent::Order(OrderEvent::Returned { currency, lines, .. })
            | TradeEvent::Return(ReturnEvent::Accepted { currency, lines, .. }) => {
                before.unwrap_or_else(|| new(*currency)).take_back(lines, *currency).map(Some)
            }
            TradeEvent::Order(_) => Ok(before),
        }
    }
}

impl CustomerOrdersDocument {
    fn place(mut self, lines: &[Line], order: PlacedOrder) -> Result<Self, ProjectError> {
        self.takings.sell(lines, order.currency)?;
        self.orders += 1;
        self.last_orders.push_back(order);
        while self.last_orders.len() > LAST_ORDERS_MAX {
            self.last_orders.pop_front();
        }
        Ok(self)
    }

    fn cancel(mut self, order: &str) -> Self {
        self.cancelled += 1;
        // An order that is no longer listed is only counted.
        for listed in self.last_orders.iter_mut().filter(|listed| listed.order == order) {
            listed.cancelled = true;
        }
        self
    }

    fn take_back(mut self, lines: &[Line], currency: Currency) -> Result<Self, ProjectError> {
        self.takings.refund(lines, currency)?;
        self.returns += 1;
        Ok(self)
    }
}

fn empty(customer: &str, currency: Currency) -> CustomerOrdersDocument {
    CustomerOrdersDocument {
        customer: customer.into(),
        orders: 0,
        cancelled: 0,
        returns: 0,
        takings: Takings::in_currency(currency),
        last_orders: VecDeque::new(),
    }
}

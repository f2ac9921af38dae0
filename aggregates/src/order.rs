//! Orders: from placing to delivery.

mod command;
mod event;
mod rejection;
mod status;

pub use command::{OrderCommand, Outcome};
pub use event::{CancelReason, OrderEvent};
pub use rejection::OrderRejection;
pub use status::OrderStatus;

use crate::{Charge, Line, Money, Sku, bill::Bill, pieces_by_sku, text::check_name};
use OrderCommand as Command;
use OrderEvent as Event;
use OrderRejection as Rejection;
use annals::{Aggregate, SnapshotPolicy};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};

/// Every so many events the state is kept beside the log; an order of very many articles has some hundred events.
const SNAPSHOT_EVENTS: u64 = 200;

/// One customer's order; its id is the order number.
///
/// It waits until the stock has answered for each of its articles, then decides itself: confirmed when all are
/// reserved, cancelled at the first refusal. Its total is fixed when it is placed. Nothing changes it any more once
/// it is cancelled or returned.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Order {
    status: OrderStatus,
    customer: Option<String>,
    lines: Vec<Line>,
    charges: Vec<Charge>,
    total: Option<Money>,
    /// Pieces by article.
    asked: BTreeMap<Sku, u64>,
    /// Articles that the stock has not answered for.
    waiting: BTreeSet<Sku>,
}

impl Order {
    /// How far it has come.
    pub fn status(&self) -> OrderStatus {
        self.status
    }

    /// Who ordered; `None` for a guest, and before it is placed.
    pub fn customer(&self) -> Option<&str> {
        self.customer.as_deref()
    }

    /// Its goods, in the order they were given.
    pub fn lines(&self) -> &[Line] {
        &self.lines
    }

    /// Its postage, fees and discounts.
    pub fn charges(&self) -> &[Charge] {
        &self.charges
    }

    /// The sum of its lines and charges, as it was placed; `None` before.
    pub fn total(&self) -> Option<Money> {
        self.total
    }

    fn place(&self, placing: Placing<'_>) -> Result<Vec<Event>, Rejection> {
        let Placing { customer, country, bill, occurred_at } = placing;
        if self.status != OrderStatus::New {
            return Err(Rejection::AlreadyPlaced { status: self.status });
        }
        if bill.lines.is_empty() {
            return Err(Rejection::NoLines);
        }
        check_name("customer", customer)?;
        check_name("country", country)?;
        let total_minor = bill.total()?.minor;
        Ok(vec![Event::Placed {
            customer: customer.map(Into::into),
            country: country.map(Into::into),
            currency: bill.currency,
            lines: bill.lines.to_vec(),
            charges: bill.charges.to_vec(),
            total_minor,
            occurred_at,
        }])
    }

    fn record_reservation(
        &self,
        sku: &Sku,
        outcome: Outcome,
        occurred_at: DateTime<Utc>,
    ) -> Result<Vec<Event>, Rejection> {
        match self.status {
            OrderStatus::New => return Err(Rejection::NotPlaced),
            OrderStatus::Placed => {}
            // The order has decided: later answers change nothing.
            _ => return Ok(vec![]),
        }
        let Some(&asked) = self.asked.get(sku) else {
            return Err(Rejection::NotOrdered { sku: sku.clone() });
        };
        if !self.waiting.contains(sku) {
            return Ok(vec![]);
        }
        match outcome {
            Outcome::Refused { available } => {
                let reason = CancelReason::OutOfStock { sku: sku.clone(), asked, available };
                Ok(vec![self.cancelled(reason, occurred_at)])
            }
            Outcome::Reserved => {
                let mut events = vec![Event::SkuReserved { sku: sku.clone() }];
                if self.waiting.len() == 1 {
                    events.push(Event::Confirmed { occurred_at });
                }
                Ok(events)
            }
        }
    }

    fn cancel(&self, reason: &str, occurred_at: DateTime<Utc>) -> Result<Vec<Event>, Rejection> {
        match self.status {
            OrderStatus::New => Err(Rejection::NotPlaced),
            OrderStatus::Cancelled => Ok(vec![]),
            OrderStatus::Placed | OrderStatus::Confirmed => {
                check_name("reason", Some(reason))?;
                let reason = CancelReason::Requested { why: reason.into() };
                Ok(vec![self.cancelled(reason, occurred_at)])
            }
            status => Err(Rejection::NotNow { asked: "cancel", status }),
        }
    }

    fn cancelled(&self, reason: CancelReason, occurred_at: DateTime<Utc>) -> Event {
        Event::Cancelled { reason, customer: self.customer.clone(), skus: self.skus(), occurred_at }
    }

    /// `event` when the order is at `from`; nothing when it has been done already.
    fn step(
        &self,
        asked: &'static str,
        from: OrderStatus,
        done: OrderStatus,
        event: impl FnOnce() -> Event,
    ) -> Result<Vec<Event>, Rejection> {
        match self.status {
            status if status == done => Ok(vec![]),
            status if status == from => Ok(vec![event()]),
            OrderStatus::New => Err(Rejection::NotPlaced),
            status => Err(Rejection::NotNow { asked, status }),
        }
    }

    fn skus(&self) -> Vec<Sku> {
        self.asked.keys().cloned().collect()
    }
}

/// The content of [`OrderCommand::Place`].
struct Placing<'a> {
    customer: Option<&'a str>,
    country: Option<&'a str>,
    bill: Bill<'a>,
    occurred_at: DateTime<Utc>,
}

impl Aggregate for Order {
    type Id = str;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = Some(SnapshotPolicy::json(SNAPSHOT_EVENTS));

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        use OrderStatus::{Confirmed, Delivered, Returned, Shipped};
        match command {
            Command::Place { customer, country, currency, lines, charges, occurred_at } => {
                let bill = Bill { lines, charges, currency: *currency };
                let (customer, country) = (customer.as_deref(), country.as_deref());
                self.place(Placing { customer, country, bill, occurred_at: *occurred_at })
            }
            Command::RecordReservation { sku, outcome, occurred_at } => {
                self.record_reservation(sku, *outcome, *occurred_at)
            }
            Command::Cancel { reason, occurred_at } => self.cancel(reason, *occurred_at),
            &Command::Ship { occurred_at } => {
                self.step("ship", Confirmed, Shipped, || Event::Shipped { skus: self.skus(), occurred_at })
            }
            &Command::Deliver { occurred_at } => {
                self.step("deliver", Shipped, Delivered, || Event::Delivered { occurred_at })
            }
            &Command::Return { occurred_at } => {
                let currency = self.total.ok_or(Rejection::NotPlaced)?.currency;
                self.step("return", Delivered, Returned, || Event::Returned {
                    customer: self.customer.clone(),
                    lines: self.lines.clone(),
                    currency,
                    occurred_at,
                })
            }
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Placed { customer, currency, lines, charges, total_minor, .. } => {
                self.status = OrderStatus::Placed;
                self.customer = customer.clone();
                self.lines = lines.clone();
                self.charges = charges.clone();
                self.total = Some(Money::new(*total_minor, *currency));
                self.asked = pieces_by_sku(lines);
                self.waiting = self.asked.keys().cloned().collect();
            }
            Event::SkuReserved { sku } => {
                self.waiting.remove(sku);
            }
            Event::Confirmed { .. } => self.status = OrderStatus::Confirmed,
            Event::Cancelled { .. } => self.status = OrderStatus::Cancelled,
            Event::Shipped { .. } => self.status = OrderStatus::Shipped,
            Event::Delivered { .. } => self.status = OrderStatus::Delivered,
            Event::Returned { .. } => self.status = OrderStatus::Returned,
        }
    }
}

#[cfg(test)]
mod tests;

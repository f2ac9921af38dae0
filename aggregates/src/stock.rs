//! Stock: the pieces of one article.

mod command;
mod event;
mod holding;
mod refusal;
mod rejection;

pub use command::StockCommand;
pub use event::StockEvent;
pub use holding::Holding;
pub use refusal::AdjustmentRefusal;
pub use rejection::StockRejection;

use crate::{
    Sku,
    text::{NAME_BYTES_MAX, check_key, check_optional},
};
use StockCommand as Command;
use StockEvent as Event;
use StockRejection as Rejection;
use annals::{Aggregate, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// The most pieces of one article ever received, or corrected by, in all; exact in any reader of JSON.
pub const PIECES_MAX: u64 = 1_000_000_000_000_000;

/// Every so many events the state of an article is kept beside the log. Seldom, as it grows with the orders it
/// remembers: with 100 000 of them a snapshot has some 5 MB, so 5 kB for each event.
const SNAPSHOT_EVENTS: u64 = 1_000;

/// The pieces of one article; its id is the [`Sku`]. The single writer per article that never oversells.
///
/// At any time `reserved ≤ on hand`, and `received = on hand + shipped − adjusted`, where `adjusted` is the signed sum
/// of all adjustments: pieces found count up, pieces lost count down.
///
/// It remembers one [`Holding`] per order that ever asked, for good: an order that was refused or released must not
/// succeed later, in whatever order commands arrive. So its size grows with the orders of the article, by some
/// 100 bytes each: a million orders of one article are the most that suits one stream.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct StockItem {
    received: u64,
    adjusted: i64,
    on_hand: u64,
    reserved: u64,
    shipped: u64,
    holdings: BTreeMap<String, Holding>,
}

impl StockItem {
    /// Pieces that came in, returned ones included.
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The signed sum of all adjustments.
    pub fn adjusted(&self) -> i64 {
        self.adjusted
    }

    /// Pieces in the warehouse, reserved ones included.
    pub fn on_hand(&self) -> u64 {
        self.on_hand
    }

    /// Pieces that are promised to orders.
    pub fn reserved(&self) -> u64 {
        self.reserved
    }

    /// Pieces that left with orders.
    pub fn shipped(&self) -> u64 {
        self.shipped
    }

    /// Pieces that can still be promised.
    pub fn free(&self) -> u64 {
        self.on_hand.saturating_sub(self.reserved)
    }

    /// What became of the request of `order`; `None` when it never asked.
    pub fn holding(&self, order: &str) -> Option<Holding> {
        self.holdings.get(order).copied()
    }

    fn receive(&self, quantity: u64, reference: &str) -> Result<Vec<Event>, Rejection> {
        check_key("reference", reference)?;
        if quantity == 0 {
            return Err(Rejection::NoQuantity { asked: "receive" });
        }
        if self.received.saturating_add(quantity) > PIECES_MAX {
            return Err(Rejection::TooMany { received: self.received, quantity });
        }
        Ok(vec![Event::Received { quantity, reference: reference.into() }])
    }

    fn reserve(&self, order: &str, quantity: u64) -> Result<Vec<Event>, Rejection> {
        check_key("order", order)?;
        if quantity == 0 {
            return Err(Rejection::NoQuantity { asked: "reserve" });
        }
        // Each order is answered once: what was reserved stays, what was refused or released cannot succeed later.
        if self.holding(order).is_some() {
            return Ok(vec![]);
        }
        let (order, available) = (order.into(), self.free());
        Ok(vec![if quantity > available {
            Event::ReservationRefused { order, quantity, available }
        } else {
            Event::Reserved { order, quantity }
        }])
    }

    fn release(&self, order: &str) -> Result<Vec<Event>, Rejection> {
        check_key("order", order)?;
        let quantity = match self.holding(order) {
            // Asked before the reservation arrived: it is remembered, so that the reservation comes too late.
            None => 0,
            Some(Holding::Reserved { quantity }) => quantity,
            Some(Holding::Refused | Holding::Released) => return Ok(vec![]),
            Some(Holding::Shipped { quantity }) => {
                return Err(Rejection::AlreadyShipped { order: order.into(), quantity });
            }
        };
        Ok(vec![Event::Released { order: order.into(), quantity }])
    }

    fn ship(&self, order: &str) -> Result<Vec<Event>, Rejection> {
        match self.holding(order) {
            Some(Holding::Reserved { quantity }) => {
                Ok(vec![Event::Shipped { order: order.into(), quantity }])
            }
            Some(Holding::Shipped { .. }) => Ok(vec![]),
            Some(Holding::Refused | Holding::Released) | None => {
                Err(Rejection::NotReserved { order: order.into() })
            }
        }
    }

    fn adjust(&self, delta: i64, reason: &str) -> Result<Vec<Event>, Rejection> {
        check_optional("reason", reason, NAME_BYTES_MAX)?;
        if delta == 0 {
            return Err(Rejection::NoQuantity { asked: "adjust" });
        }
        let within = |adjusted: &i64| adjusted.unsigned_abs() <= PIECES_MAX;
        if !within(&delta) {
            return Err(Rejection::TooMuch { delta });
        }
        let (adjusted, on_hand, reserved) = (self.adjusted, self.on_hand, self.reserved);
        let refusal = if adjusted.checked_add(delta).filter(within).is_none() {
            Some(AdjustmentRefusal::TooMuch { adjusted })
        } else if on_hand.checked_add_signed(delta).is_none_or(|left| left < reserved) {
            Some(AdjustmentRefusal::BelowReserved { on_hand, reserved })
        } else {
            None
        };
        let reason = reason.into();
        // What depends on the stock of the moment is an event either way: asked again, it is answered the same.
        Ok(vec![match refusal {
            Some(refusal) => Event::AdjustmentRefused { delta, reason, refusal },
            None => Event::Adjusted { delta, reason },
        }])
    }

    fn hold(&mut self, order: &str, holding: Holding) {
        self.holdings.insert(order.into(), holding);
    }
}

impl Aggregate for StockItem {
    type Id = Sku;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = Some(SnapshotPolicy::json(SNAPSHOT_EVENTS));

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Receive { quantity, reference } => self.receive(*quantity, reference),
            Command::Reserve { order, quantity } => self.reserve(order, *quantity),
            Command::Release { order } => self.release(order),
            Command::Ship { order } => self.ship(order),
            Command::Adjust { delta, reason } => self.adjust(*delta, reason),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Received { quantity, .. } => {
                self.received = self.received.saturating_add(*quantity);
                self.on_hand = self.on_hand.saturating_add(*quantity);
            }
            Event::Reserved { order, quantity } => {
                self.reserved = self.reserved.saturating_add(*quantity);
                self.hold(order, Holding::Reserved { quantity: *quantity });
            }
            Event::ReservationRefused { order, .. } => self.hold(order, Holding::Refused),
            Event::Released { order, quantity } => {
                self.reserved = self.reserved.saturating_sub(*quantity);
                self.hold(order, Holding::Released);
            }
            Event::Shipped { order, quantity } => {
                self.on_hand = self.on_hand.saturating_sub(*quantity);
                self.reserved = self.reserved.saturating_sub(*quantity);
                self.shipped = self.shipped.saturating_add(*quantity);
                self.hold(order, Holding::Shipped { quantity: *quantity });
            }
            Event::AdjustmentRefused { .. } => {}
            Event::Adjusted { delta, .. } => {
                self.adjusted = self.adjusted.saturating_add(*delta);
                self.on_hand = self.on_hand.saturating_add_signed(*delta);
            }
        }
    }
}

#[cfg(test)]
mod tests;

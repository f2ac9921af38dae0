//! How each order stands.

use annals::{Column, Keys, ProjectError, Projection, RecordedEvent};
use chrono::{DateTime, Utc};
use northwind_aggregates::{Charge, Currency, Line, OrderEvent, OrderStatus};
use serde::{Deserialize, Serialize};

/// The read model `orders`, by order number.
#[derive(Debug, Clone, Copy, Default)]
pub struct Orders;

/// One order. A time is `null` until it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct OrderDocument {
    /// Its key.
    pub order: String,
    /// How far it has come.
    pub status: OrderStatus,
    /// Who ordered; `null` for a guest.
    pub customer: Option<String>,
    /// Where to.
    pub country: Option<String>,
    /// Of all its amounts.
    pub currency: Currency,
    /// The sum of lines and charges.
    pub total_minor: i64,
    /// Its goods.
    pub lines: Vec<Line>,
    /// What else is on the bill.
    pub charges: Vec<Charge>,
    /// Why it was cancelled, in words.
    pub cancel_reason: Option<String>,
    /// When it was placed, in business time.
    pub placed_at: DateTime<Utc>,
    /// When all of its articles were reserved.
    pub confirmed_at: Option<DateTime<Utc>>,
    /// When it was cancelled.
    pub cancelled_at: Option<DateTime<Utc>>,
    /// When it was handed to the carrier.
    pub shipped_at: Option<DateTime<Utc>>,
    /// When it arrived.
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it came back.
    pub returned_at: Option<DateTime<Utc>>,
    /// When the log recorded that it was placed.
    pub placed_recorded_at: DateTime<Utc>,
    /// When the log recorded the last of these times.
    pub changed_recorded_at: DateTime<Utc>,
}

impl Projection for Orders {
    const NAME: &'static str = "orders";

    const COLUMNS: &'static [Column] = &[
        Column::text("status").indexed(),
        Column::text("customer").indexed(),
        Column::text("country"),
        Column::text("currency"),
        Column::integer("total_minor"),
        Column::json("lines"),
        Column::json("charges"),
        Column::text("cancel_reason"),
        Column::time("placed_at").indexed(),
        Column::time("confirmed_at"),
        Column::time("cancelled_at"),
        Column::time("shipped_at"),
        Column::time("delivered_at"),
        Column::time("returned_at"),
        Column::time("placed_recorded_at"),
        Column::time("changed_recorded_at"),
    ];

    type Event = OrderEvent;
    type Document = OrderDocument;

    fn keys(&self, event: &OrderEvent, recorded: &RecordedEvent) -> Keys {
        match event {
            // Not shown: an order of 675 articles would be written 675 times.
            OrderEvent::SkuReserved { .. } => Keys::none(),
            _ => recorded.key().into(),
        }
    }

    fn project(
        &self,
        key: &str,
        before: Option<OrderDocument>,
        event: &OrderEvent,
        recorded: &RecordedEvent,
    ) -> Result<Option<OrderDocument>, ProjectError> {
        if let OrderEvent::Placed { customer, country, currency, lines, charges, total_minor, occurred_at } =
            event
        {
            return Ok(Some(OrderDocument {
                order: key.into(),
                status: OrderStatus::Placed,
                customer: customer.clone(),
                country: country.clone(),
                currency: *currency,
                total_minor: *total_minor,
                lines: lines.clone(),
                charges: charges.clone(),
                cancel_reason: None,
                placed_at: *occurred_at,
                confirmed_at: None,
                cancelled_at: None,
                shipped_at: None,
                delivered_at: None,
                returned_at: None,
                placed_recorded_at: recorded.recorded_at,
                changed_recorded_at: recorded.recorded_at,
            }));
        }
        let mut order = before.ok_or_else(|| {
            ProjectError::new(format!("order {key} was not placed before its {}", recorded.event_type))
        })?;
        order.follow(event);
        order.changed_recorded_at = recorded.recorded_at;
        Ok(Some(order))
    }
}

impl OrderDocument {
    fn follow(&mut self, event: &OrderEvent) {
        match event {
            OrderEvent::Placed { .. } | OrderEvent::SkuReserved { .. } => {}
            OrderEvent::Confirmed { occurred_at } => {
                self.status = OrderStatus::Confirmed;
                self.confirmed_at = Some(*occurred_at);
            }
            OrderEvent::Cancelled { reason, occurred_at, .. } => {
                self.status = OrderStatus::Cancelled;
                self.cancelled_at = Some(*occurred_at);
                self.cancel_reason = Some(reason.to_string());
            }
            OrderEvent::Shipped { occurred_at, .. } => {
                self.status = OrderStatus::Shipped;
                self.shipped_at = Some(*occurred_at);
            }
            OrderEvent::Delivered { occurred_at } => {
                self.status = OrderStatus::Delivered;
                self.delivered_at = Some(*occurred_at);
            }
            OrderEvent::Returned { occurred_at, .. } => {
                self.status = OrderStatus::Returned;
                self.returned_at = Some(*occurred_at);
            }
        }
    }
}

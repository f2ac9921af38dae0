//! What Northwind Apparel shows, and what connects its parts.
//!
//! **Read models** answer the questions of the shop: [`Orders`] (how is my order?), [`Stock`] (what is left?),
//! [`CustomerOrders`] (who bought what?), [`SalesPerDay`] and [`SalesPerSku`]. Each is a pure fold of events into
//! JSON documents by key, and can be thrown away and rebuilt at any time.
//!
//! **[`policies`]** turn events of one aggregate into commands for others: an order that is placed reserves stock, the
//! stock's answer is noted on the order, what an order no longer needs is released.
//!
//! Amounts are integer minor units of the document's currency. `gross_minor` counts goods, not postage, fees and
//! discounts, of orders as they were placed: a later cancellation takes nothing off. `refund_minor` counts goods that
//! came back.

mod customer_orders;
mod day;
mod orders;
mod sales_per_day;
mod sales_per_sku;
mod stock;
mod takings;

pub mod policies;

pub use customer_orders::{CustomerOrders, CustomerOrdersDocument, GUEST, LAST_ORDERS_MAX, PlacedOrder};
pub use orders::{OrderDocument, Orders};
pub use sales_per_day::{SalesPerDay, SalesPerDayDocument};
pub use sales_per_sku::{SalesPerSku, SalesPerSkuDocument};
pub use stock::{Stock, StockDocument};
pub use takings::Takings;

use annals::Registered;
use northwind_aggregates::{OrderEvent, ReturnEvent};

/// All read models, for whoever runs, rebuilds or lists them.
pub fn read_models() -> Vec<Registered> {
    vec![
        Registered::new(Orders),
        Registered::new(Stock),
        Registered::new(CustomerOrders),
        Registered::new(SalesPerDay),
        Registered::new(SalesPerSku),
    ]
}

annals::event_set! {
    /// What brings goods to customers and back.
    pub enum TradeEvent { Order(OrderEvent), Return(ReturnEvent) }
}

#[cfg(test)]
mod tests;

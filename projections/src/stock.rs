//! What is left of each article.

use annals::{Column, Keys, ProjectError, Projection, RecordedEvent};
use northwind_aggregates::StockEvent;
use serde::{Deserialize, Serialize};

/// The read model `stock`, by article number in upper case.
#[derive(Debug, Clone, Copy, Default)]
pub struct Stock;

/// The pieces of one article. `received = on_hand + shipped − adjusted` at any time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StockDocument {
    /// Its key.
    pub sku: String,
    /// In the warehouse, reserved ones included.
    pub on_hand: u64,
    /// Promised to orders.
    pub reserved: u64,
    /// Gone with orders.
    pub shipped: u64,
    /// Come in, returned ones included.
    pub received: u64,
    /// The signed sum of corrections of the count.
    pub adjusted: i64,
    /// How many orders were refused for lack of it.
    pub refusals: u64,
}

impl Projection for Stock {
    const NAME: &'static str = "stock";

    const COLUMNS: &'static [Column] = &[
        Column::integer("on_hand").indexed(),
        Column::integer("reserved"),
        Column::integer("shipped"),
        Column::integer("received"),
        Column::integer("adjusted"),
        Column::integer("refusals"),
    ];

    type Event = StockEvent;
    type Document = StockDocument;

    fn keys(&self, _: &StockEvent, recorded: &RecordedEvent) -> Keys {
        recorded.key().into()
    }

    fn project(
        &self,
        key: &str,
        before: Option<StockDocument>,
        event: &StockEvent,
        _: &RecordedEvent,
    ) -> Result<Option<StockDocument>, ProjectError> {
        let mut stock = before.unwrap_or_else(|| StockDocument { sku: key.into(), ..Default::default() });
        let add = |sum: &mut u64, pieces: u64| *sum = sum.saturating_add(pieces);
        let take = |sum: &mut u64, pieces: u64| *sum = sum.saturating_sub(pieces);
        match *event {
            StockEvent::Received { quantity, .. } => {
                add(&mut stock.received, quantity);
                add(&mut stock.on_hand, quantity);
            }
            StockEvent::Reserved { quantity, .. } => add(&mut stock.reserved, quantity),
            StockEvent::ReservationRefused { .. } => add(&mut stock.refusals, 1),
            StockEvent::Released { quantity, .. } => take(&mut stock.reserved, quantity),
            StockEvent::Shipped { quantity, .. } => {
                take(&mut stock.on_hand, quantity);
                take(&mut stock.reserved, quantity);
                add(&mut stock.shipped, quantity);
            }
            // An article that there is nothing of is one all the same.
            StockEvent::AdjustmentRefused { .. } => {}
            StockEvent::Adjusted { delta, .. } => {
                stock.adjusted = stock.adjusted.saturating_add(delta);
                stock.on_hand = stock.on_hand.saturating_add_signed(delta);
            }
        }
        Ok(Some(stock))
    }
}

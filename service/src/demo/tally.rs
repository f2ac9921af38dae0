//! What became of the orders, and whether a piece was sold twice, read from the log alone.

use annals::{EventSet, EventStore, LogFilter, PageLimit, Position};
use annals_cli::CliError;
use northwind_aggregates::{CancelReason, OrderEvent, Sku, StockEvent, pieces_by_sku};
use std::collections::{BTreeMap, HashMap, HashSet};

annals::event_set! {
    enum ShopEvent { Order(OrderEvent), Stock(StockEvent) }
}

/// What the log says. It keeps its own books: it shares neither the rules of the stock nor a read model, so a mistake
/// in those shows here.
#[derive(Debug, Default)]
pub(super) struct Tally {
    pub(super) placed: u64,
    pub(super) confirmed: u64,
    /// Cancelled because an article had run out.
    pub(super) out_of_stock: u64,
    articles: HashMap<Sku, Article>,
    /// Orders that were not cancelled.
    orders: HashMap<String, Ordered>,
}

/// What an order asked for.
#[derive(Debug)]
struct Ordered {
    pieces: BTreeMap<Sku, u64>,
    confirmed: bool,
}

/// The pieces of one article.
#[derive(Debug, Default)]
struct Article {
    /// Ever put on the shelf: received, found and lost.
    stocked: i128,
    /// Reserved for orders and not released again, shipped ones included: what the stock says it has given away.
    promised: i128,
    /// On confirmed orders: what customers were told they get.
    sold: i128,
    /// How many more were promised or sold than stocked, at the worst moment.
    oversold: i128,
}

impl Tally {
    /// Reads the whole log. Orders are counted if they are among `numbers`; oversold pieces whatever the order.
    pub(super) async fn take(store: &dyn EventStore, numbers: &HashSet<String>) -> Result<Self, CliError> {
        let failed =
            |error: &dyn std::error::Error| CliError::because("counting the orders in the log", error);
        let filter = LogFilter::of::<ShopEvent>();
        let (mut tally, mut at) = (Self::default(), Position::START);
        loop {
            let page = store.read_log(at, PageLimit::MAX, &filter).await.map_err(|error| failed(&error))?;
            for recorded in &page.events {
                ShopEvent::decode(recorded, &mut |event| match event {
                    ShopEvent::Order(event) => {
                        tally.order(recorded.key(), &event, numbers.contains(recorded.key()));
                    }
                    ShopEvent::Stock(event) => {
                        // A stream whose key is no article number holds nothing that could be sold.
                        if let Ok(sku) = Sku::new(recorded.key()) {
                            tally.stock(sku, &event);
                        }
                    }
                })
                .map_err(|error| failed(&error))?;
            }
            if page.looked == page.after {
                return Ok(tally);
            }
            at = page.looked;
        }
    }

    /// Pieces that were promised or sold without being there, at the worst moment of each article.
    pub(super) fn oversold(&self) -> u64 {
        let pieces: i128 = self.articles.values().map(|article| article.oversold).sum();
        u64::try_from(pieces).unwrap_or(u64::MAX)
    }

    fn order(&mut self, number: &str, event: &OrderEvent, counted: bool) {
        let counted = u64::from(counted);
        match event {
            OrderEvent::Placed { lines, .. } => {
                self.placed += counted;
                self.orders.insert(number.into(), Ordered { pieces: pieces_by_sku(lines), confirmed: false });
            }
            OrderEvent::Confirmed { .. } => {
                self.confirmed += counted;
                if let Some(order) = self.orders.get_mut(number) {
                    order.confirmed = true;
                    sell(&mut self.articles, &order.pieces, 1);
                }
            }
            OrderEvent::Cancelled { reason, .. } => {
                self.out_of_stock += counted * u64::from(matches!(reason, CancelReason::OutOfStock { .. }));
                if let Some(order) = self.orders.remove(number).filter(|order| order.confirmed) {
                    sell(&mut self.articles, &order.pieces, -1);
                }
            }
            _ => {}
        }
    }

    fn stock(&mut self, sku: Sku, event: &StockEvent) {
        let article = self.articles.entry(sku).or_default();
        match *event {
            StockEvent::Received { quantity, .. } => article.change(quantity.into(), 0, 0),
            StockEvent::Adjusted { delta, .. } => article.change(delta.into(), 0, 0),
            StockEvent::Reserved { quantity, .. } => article.change(0, quantity.into(), 0),
            StockEvent::Released { quantity, .. } => article.change(0, -i128::from(quantity), 0),
            // Shipped pieces were promised before and stay given away.
            StockEvent::Shipped { .. } => {}
            StockEvent::ReservationRefused { .. } | StockEvent::AdjustmentRefused { .. } => {}
        }
    }
}

fn sell(articles: &mut HashMap<Sku, Article>, pieces: &BTreeMap<Sku, u64>, sign: i128) {
    for (sku, pieces) in pieces {
        articles.entry(sku.clone()).or_default().change(0, 0, sign * i128::from(*pieces));
    }
}

impl Article {
    fn change(&mut self, stocked: i128, promised: i128, sold: i128) {
        self.stocked += stocked;
        self.promised += promised;
        self.sold += sold;
        self.oversold = self.oversold.max(self.promised.max(self.sold) - self.stocked);
    }
}

#[cfg(test)]
mod tests;

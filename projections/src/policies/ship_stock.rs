use annals::{Issued, Policy, RecordedEvent};
use northwind_aggregates::{OrderEvent, StockCommand, StockItem};

/// An order that is shipped takes its reserved pieces out of the warehouse.
#[derive(Debug, Clone, Copy, Default)]
pub struct ShipStock;

impl Policy for ShipStock {
    const NAME: &'static str = "ship-stock";

    type Event = OrderEvent;

    fn react(&self, event: &OrderEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let OrderEvent::Shipped { skus, .. } = event else { return vec![] };
        let ship = || StockCommand::Ship { order: recorded.key().into() };
        skus.iter().map(|sku| Issued::to::<StockItem>(sku, ship())).collect()
    }
}

use annals::{Issued, Policy, RecordedEvent};
use northwind_aggregates::{OrderEvent, StockCommand, StockItem, pieces_by_sku};

/// An order that is placed asks each of its articles for its pieces, all lines of the article together.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReserveStock;

impl Policy for ReserveStock {
    const NAME: &'static str = "reserve-stock";

    type Event = OrderEvent;

    fn react(&self, event: &OrderEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let OrderEvent::Placed { lines, .. } = event else { return vec![] };
        let reserve = |quantity| StockCommand::Reserve { order: recorded.key().into(), quantity };
        pieces_by_sku(lines)
            .into_iter()
            .map(|(sku, quantity)| Issued::to::<StockItem>(&sku, reserve(quantity)))
            .collect()
    }
}

use annals::{Issued, Policy, RecordedEvent};
use northwind_aggregates::{OrderEvent, StockCommand, StockItem};

/// An order that is cancelled gives all of its articles back, also those that have not answered yet: their
/// reservation then comes too late.
#[derive(Debug, Clone, Copy, Default)]
pub struct ReleaseStock;

impl Policy for ReleaseStock {
    const NAME: &'static str = "release-stock";

    type Event = OrderEvent;

    fn react(&self, event: &OrderEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let OrderEvent::Cancelled { skus, .. } = event else { return vec![] };
        let release = || StockCommand::Release { order: recorded.key().into() };
        skus.iter().map(|sku| Issued::to::<StockItem>(sku, release())).collect()
    }
}

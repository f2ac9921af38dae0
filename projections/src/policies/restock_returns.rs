use crate::TradeEvent;
use annals::{Issued, Policy, RecordedEvent};
use northwind_aggregates::{OrderEvent, ReturnEvent, StockCommand, StockItem, pieces_by_sku};

/// Goods that come back are received again, under the number of the return or order.
#[derive(Debug, Clone, Copy, Default)]
pub struct RestockReturns;

impl Policy for RestockReturns {
    const NAME: &'static str = "restock-returns";

    type Event = TradeEvent;

    fn react(&self, event: &TradeEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let (TradeEvent::Order(OrderEvent::Returned { lines, .. })
        | TradeEvent::Return(ReturnEvent::Accepted { lines, .. })) = event
        else {
            return vec![];
        };
        let receive = |quantity| StockCommand::Receive { quantity, reference: recorded.key().into() };
        pieces_by_sku(lines)
            .into_iter()
            .map(|(sku, quantity)| Issued::to::<StockItem>(&sku, receive(quantity)))
            .collect()
    }
}

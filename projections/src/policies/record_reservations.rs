use annals::{Issued, Policy, RecordedEvent};
use northwind_aggregates::{Order, OrderCommand, Outcome, Sku, StockEvent};

/// What the stock answers an order is noted on the order.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecordReservations;

impl Policy for RecordReservations {
    const NAME: &'static str = "record-reservations";

    type Event = StockEvent;

    fn react(&self, event: &StockEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let (order, outcome) = match event {
            StockEvent::Reserved { order, .. } => (order, Outcome::Reserved),
            StockEvent::ReservationRefused { order, available, .. } => {
                (order, Outcome::Refused { available: *available })
            }
            _ => return vec![],
        };
        // A stream whose key is no article number was not written for an order: no order waits for it.
        let Ok(sku) = Sku::new(recorded.key()) else { return vec![] };
        let command = OrderCommand::RecordReservation { sku, outcome, occurred_at: recorded.recorded_at };
        vec![Issued::to::<Order>(order, command)]
    }
}

//! What happens in one aggregate and calls for commands to others.
//!
//! Commands and their targets follow from the event alone, and each is harmless when it is decided anew: the stock
//! answers each order once, the order takes each answer once. So however the policies overtake one another, and
//! wherever one is interrupted, an order ends confirmed with all of its articles reserved, or cancelled with none.
//! Receiving returned goods is the exception that leaves an event each time, and is recognised by its command id.

mod record_reservations;
mod release_stock;
mod reserve_stock;
mod restock_returns;
mod ship_stock;

pub use record_reservations::RecordReservations;
pub use release_stock::ReleaseStock;
pub use reserve_stock::ReserveStock;
pub use restock_returns::RestockReturns;
pub use ship_stock::ShipStock;

use annals::{Checkpoints, Engine, PolicyRunner, Subscriber};
use std::sync::Arc;

/// Subscribers that run all policies with commands to `engine`, keeping their places in `checkpoints`.
pub fn all(engine: &Arc<Engine>, checkpoints: &Arc<dyn Checkpoints>) -> Vec<Box<dyn Subscriber>> {
    vec![
        Box::new(PolicyRunner::new(ReserveStock, engine.clone(), checkpoints.clone())),
        Box::new(PolicyRunner::new(RecordReservations, engine.clone(), checkpoints.clone())),
        Box::new(PolicyRunner::new(ReleaseStock, engine.clone(), checkpoints.clone())),
        Box::new(PolicyRunner::new(ShipStock, engine.clone(), checkpoints.clone())),
        Box::new(PolicyRunner::new(RestockReturns, engine.clone(), checkpoints.clone())),
    ]
}

#[cfg(test)]
mod tests;

//! Events like those of a shop, the same in every run: payloads of 200 to 240 bytes, metadata with a command id, and
//! ids that follow from commands as the engine makes them.

mod domain;
mod maker;
mod senders;

pub use domain::{AddLine, Line, Order, OrderEvent, PerCustomer, PerOrder, PerSku, Totals};
pub use maker::{CUSTOMERS, Maker, SKUS};
pub use senders::Senders;

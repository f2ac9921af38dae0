//! What the stories and the process that they start share.
//!
//! A story is a test that crosses rooms: aggregates, engine, store and read models together, in several processes
//! where that is the point. The stories are in `tests/it`, their figures in `README.md`.

mod announced;
mod consume;
mod obey;
mod order_steps;
mod publish;
mod report;
mod shop;
mod standing;
mod waybill;
mod witness;

pub use announced::{Announced, Hold};
pub use consume::{Consume, documents_at};
pub use obey::Obey;
pub use order_steps::OrderSteps;
pub use publish::Publish;
pub use report::Report;
pub use shop::{DRAIN_MAX, Shop};
pub use standing::Standing;
pub use waybill::{KeepWaybills, Waybill, WaybillEvent};
pub use witness::{Acknowledge, Witness};

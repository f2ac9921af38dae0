//! What another service keeps of the orders of a shop: a waybill for each, with an entry for each event.

use annals::{Aggregate, DomainEvent, Issued, Policy, RecordedEvent};
use northwind_aggregates::OrderEvent;
use serde::{Deserialize, Serialize};

/// What happens to a waybill.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum WaybillEvent {
    /// A step of the order was entered.
    Entered {
        /// The how manieth entry it is, from 1: what was decided on an old state has another number.
        entry: u64,
        /// The type of the order's event.
        step: String,
    },
}

impl DomainEvent for WaybillEvent {
    const CATEGORY: &'static str = "waybill";
}

/// One order's waybill; its id is the order number.
#[derive(Debug, Clone, Default)]
pub struct Waybill {
    entries: u64,
}

/// Enters a step, whatever it is: the same one twice if it is told so twice.
#[derive(Debug, PartialEq, Eq)]
pub struct Enter {
    /// The type of the order's event.
    pub step: String,
}

/// Why a step is not entered.
#[derive(Debug, thiserror::Error)]
#[error("a step is entered always")]
pub struct Never;

impl Aggregate for Waybill {
    type Id = str;
    type Command = Enter;
    type Event = WaybillEvent;
    type Rejection = Never;

    fn decide(&self, Enter { step }: &Enter) -> Result<Vec<WaybillEvent>, Never> {
        Ok(vec![WaybillEvent::Entered { entry: self.entries + 1, step: step.clone() }])
    }

    fn evolve(&mut self, WaybillEvent::Entered { entry, .. }: &WaybillEvent) {
        self.entries = *entry;
    }
}

/// Each event of an order is entered on its waybill.
#[derive(Debug, Clone, Copy)]
pub struct KeepWaybills;

impl Policy for KeepWaybills {
    const NAME: &'static str = "keep-waybills";
    type Event = OrderEvent;

    fn react(&self, _: &OrderEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        vec![Issued::to::<Waybill>(recorded.key(), Enter { step: recorded.event_type.to_string() })]
    }
}

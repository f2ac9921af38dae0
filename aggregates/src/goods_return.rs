//! Returns: parcels that come back without a known order.

mod command;
mod event;
mod rejection;

pub use command::ReturnCommand;
pub use event::ReturnEvent;
pub use rejection::ReturnRejection;

use crate::{Money, bill::Bill, text::check_name};
use annals::{Aggregate, SnapshotPolicy};
use serde::{Deserialize, Serialize};

/// Every so many events the state is kept beside the log; a return has one event.
const SNAPSHOT_EVENTS: u64 = 200;

/// A parcel that came back and is not tied to a known order, as a credit invoice; its id is the number of that.
///
/// It is accepted once, as a whole; nothing changes it afterwards.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct GoodsReturn {
    refund: Option<Money>,
}

impl GoodsReturn {
    /// What is given back for its goods and charges; `None` until it is accepted.
    pub fn refund(&self) -> Option<Money> {
        self.refund
    }
}

impl Aggregate for GoodsReturn {
    type Id = str;
    type Command = ReturnCommand;
    type Event = ReturnEvent;
    type Rejection = ReturnRejection;

    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = Some(SnapshotPolicy::json(SNAPSHOT_EVENTS));

    fn decide(&self, command: &ReturnCommand) -> Result<Vec<ReturnEvent>, ReturnRejection> {
        let ReturnCommand::Accept { customer, currency, lines, charges, occurred_at } = command;
        if let Some(refund) = self.refund {
            return Err(ReturnRejection::AlreadyAccepted { refund });
        }
        if lines.is_empty() && charges.is_empty() {
            return Err(ReturnRejection::Nothing);
        }
        check_name("customer", customer.as_deref())?;
        let refund = Bill { lines, charges, currency: *currency }.total()?;
        Ok(vec![ReturnEvent::Accepted {
            customer: customer.clone(),
            currency: *currency,
            lines: lines.clone(),
            charges: charges.clone(),
            refund_minor: refund.minor,
            occurred_at: *occurred_at,
        }])
    }

    fn evolve(&mut self, event: &ReturnEvent) {
        let ReturnEvent::Accepted { currency, refund_minor, .. } = event;
        self.refund = Some(Money::new(*refund_minor, *currency));
    }
}

#[cfg(test)]
mod tests;

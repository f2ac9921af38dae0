//! Payments: authorised, captured, refunded.

mod command;
mod event;
mod rejection;

pub use command::PaymentCommand;
pub use event::PaymentEvent;
pub use rejection::PaymentRejection;

use crate::{
    Money, MoneyError,
    text::{NAME_BYTES_MAX, check, check_key},
};
use PaymentCommand as Command;
use PaymentEvent as Event;
use PaymentRejection as Rejection;
use annals::{Aggregate, SnapshotPolicy};
use serde::{Deserialize, Serialize};
use std::fmt;

/// Every so many events the state is kept beside the log; a payment has a few events.
const SNAPSHOT_EVENTS: u64 = 200;

/// The payment of one order, in one currency.
///
/// `refunded ≤ captured ≤ authorised` at any time; captures and refunds may be partial. Nothing changes it any more
/// once it is declined, or once all that was captured has been refunded.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Payment {
    status: PaymentStatus,
    authorised: Option<Money>,
    captured_minor: i64,
    refunded_minor: i64,
}

/// How far a payment has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PaymentStatus {
    /// Not asked for yet.
    #[default]
    New,
    /// Promised by the issuer of the card.
    Authorised,
    /// Taken, in part or in full.
    Captured,
    /// Refused or taken back by the issuer. Final.
    Declined,
    /// All that was taken has been given back. Final.
    Refunded,
}

impl Payment {
    /// How far it has come.
    pub fn status(&self) -> PaymentStatus {
        self.status
    }

    /// What the issuer promised.
    pub fn authorised(&self) -> Option<Money> {
        self.authorised
    }

    /// What was taken, in minor units.
    pub fn captured_minor(&self) -> i64 {
        self.captured_minor
    }

    /// What was given back, in minor units.
    pub fn refunded_minor(&self) -> i64 {
        self.refunded_minor
    }

    fn authorise(&self, order: &str, amount: Money) -> Result<Vec<Event>, Rejection> {
        if self.status != PaymentStatus::New {
            return Err(self.not_now("authorise"));
        }
        check_key("order", order)?;
        positive("authorise", amount)?;
        Ok(vec![Event::Authorised { order: order.into(), amount }])
    }

    fn decline(&self, reason: &str) -> Result<Vec<Event>, Rejection> {
        match self.status {
            PaymentStatus::Declined => Ok(vec![]),
            PaymentStatus::New | PaymentStatus::Authorised => {
                check("reason", reason, NAME_BYTES_MAX)?;
                Ok(vec![Event::Declined { reason: reason.into() }])
            }
            PaymentStatus::Captured | PaymentStatus::Refunded => Err(self.not_now("decline")),
        }
    }

    fn capture(&self, amount: Money) -> Result<Vec<Event>, Rejection> {
        let (PaymentStatus::Authorised | PaymentStatus::Captured, Some(authorised)) =
            (self.status, self.authorised)
        else {
            return Err(self.not_now("capture"));
        };
        let left = authorised.minus(Money { minor: self.captured_minor, ..authorised })?;
        if within("capture", amount, left)? {
            return Ok(vec![Event::Captured { amount }]);
        }
        Err(Rejection::BeyondAuthorised { asked: amount, left })
    }

    fn refund(&self, amount: Money) -> Result<Vec<Event>, Rejection> {
        let (PaymentStatus::Captured, Some(authorised)) = (self.status, self.authorised) else {
            return Err(self.not_now("refund"));
        };
        let captured = Money { minor: self.captured_minor, ..authorised };
        let left = captured.minus(Money { minor: self.refunded_minor, ..authorised })?;
        if within("refund", amount, left)? {
            return Ok(vec![Event::Refunded { amount }]);
        }
        Err(Rejection::BeyondCaptured { asked: amount, left })
    }

    fn not_now(&self, asked: &'static str) -> Rejection {
        Rejection::NotNow { asked, status: self.status }
    }
}

/// Whether `amount` is no more than `left`, if both are of one currency and there is something to it.
fn within(asked: &'static str, amount: Money, left: Money) -> Result<bool, Rejection> {
    if amount.currency != left.currency {
        return Err(MoneyError::Currencies { left: amount.currency, right: left.currency }.into());
    }
    positive(asked, amount)?;
    Ok(amount.minor <= left.minor)
}

fn positive(asked: &'static str, amount: Money) -> Result<(), Rejection> {
    if amount.minor > 0 { Ok(()) } else { Err(Rejection::NotPositive { asked, amount }) }
}

impl Aggregate for Payment {
    type Id = str;
    type Command = Command;
    type Event = Event;
    type Rejection = Rejection;

    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = Some(SnapshotPolicy::json(SNAPSHOT_EVENTS));

    fn decide(&self, command: &Command) -> Result<Vec<Event>, Rejection> {
        match command {
            Command::Authorise { order, amount } => self.authorise(order, *amount),
            Command::Decline { reason } => self.decline(reason),
            Command::Capture { amount } => self.capture(*amount),
            Command::Refund { amount } => self.refund(*amount),
        }
    }

    fn evolve(&mut self, event: &Event) {
        match event {
            Event::Authorised { amount, .. } => {
                self.status = PaymentStatus::Authorised;
                self.authorised = Some(*amount);
            }
            Event::Declined { .. } => self.status = PaymentStatus::Declined,
            Event::Captured { amount } => {
                self.status = PaymentStatus::Captured;
                self.captured_minor = self.captured_minor.saturating_add(amount.minor);
            }
            Event::Refunded { amount } => {
                self.refunded_minor = self.refunded_minor.saturating_add(amount.minor);
                if self.refunded_minor >= self.captured_minor {
                    self.status = PaymentStatus::Refunded;
                }
            }
        }
    }
}

impl PaymentStatus {
    /// Whether nothing changes the payment any more.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Declined | Self::Refunded)
    }
}

impl fmt::Display for PaymentStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::New => "new",
            Self::Authorised => "authorised",
            Self::Captured => "captured",
            Self::Declined => "declined",
            Self::Refunded => "refunded",
        })
    }
}

#[cfg(test)]
mod tests;

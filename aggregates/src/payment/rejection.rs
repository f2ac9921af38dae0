use super::PaymentStatus;
use crate::{Money, MoneyError, TextError};

/// Why a payment says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaymentRejection {
    /// It has not come so far, or has gone too far.
    #[error("cannot {asked} a payment that is {status}")]
    NotNow {
        /// What it was asked to do.
        asked: &'static str,
        /// How far it has come.
        status: PaymentStatus,
    },
    /// There is nothing to it.
    #[error("cannot {asked} {amount}: more than 0 are needed")]
    NotPositive {
        /// What it was asked to do.
        asked: &'static str,
        /// How much.
        amount: Money,
    },
    /// The issuer did not promise so much.
    #[error("{asked} were to be captured, only {left} are authorised and not captured yet")]
    BeyondAuthorised {
        /// How much was asked for.
        asked: Money,
        /// How much there is.
        left: Money,
    },
    /// So much was not taken.
    #[error("{asked} were to be refunded, only {left} are captured and not refunded yet")]
    BeyondCaptured {
        /// How much was asked for.
        asked: Money,
        /// How much there is.
        left: Money,
    },
    /// An order number or reason cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
    /// Two currencies met.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

use crate::{BillRejection, Money, TextError};

/// Why a return says no.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ReturnRejection {
    /// It was taken in before.
    #[error("the return was already accepted, with a refund of {refund}")]
    AlreadyAccepted {
        /// What was given back for it.
        refund: Money,
    },
    /// There is nothing in it.
    #[error("a return needs at least 1 line of goods or 1 charge, 0 were given")]
    Nothing,
    /// Its lines or charges cannot be taken.
    #[error(transparent)]
    Bill(#[from] BillRejection),
    /// The customer's name cannot be taken.
    #[error(transparent)]
    Text(#[from] TextError),
}

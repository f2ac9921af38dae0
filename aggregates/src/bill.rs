//! What stands on the bill of an order or a return: goods and charges.

mod charge;
mod line;
mod rejection;

pub use charge::Charge;
pub use line::{Line, goods_minor, pieces_by_sku};
pub use rejection::BillRejection;

use crate::{
    Currency, Money, SKU_BYTES_MAX,
    text::{self, NAME_BYTES_MAX},
};

/// The most lines of goods on one order or return: its event then stays below the payload's limit of 1 MiB, however
/// long the texts.
pub const LINES_MAX: usize = 1_000;

/// The most charges on one order or return.
pub const CHARGES_MAX: usize = 100;

/// Goods and charges, as a command brings them.
#[derive(Clone, Copy)]
pub(crate) struct Bill<'a> {
    pub(crate) lines: &'a [Line],
    pub(crate) charges: &'a [Charge],
    pub(crate) currency: Currency,
}

impl Bill<'_> {
    /// The sum of all lines and charges, if each of them can be taken.
    pub(crate) fn total(self) -> Result<Money, BillRejection> {
        self.check_lines()?;
        self.check_charges()?;
        let mut sum = Money::new(goods_minor(self.lines, self.currency)?, self.currency);
        for charge in self.charges {
            sum = sum.plus(Money::new(charge.amount_minor, self.currency))?;
        }
        Ok(sum)
    }

    fn check_lines(&self) -> Result<(), BillRejection> {
        if self.lines.len() > LINES_MAX {
            return Err(BillRejection::TooManyLines { lines: self.lines.len() });
        }
        for Line { line, sku, description, quantity, unit_price_minor } in self.lines {
            if *quantity == 0 {
                return Err(BillRejection::NoQuantity { line: *line, sku: sku.clone() });
            }
            if *unit_price_minor < 0 {
                let (sku, unit_price_minor) = (sku.clone(), *unit_price_minor);
                return Err(BillRejection::NegativePrice { line: *line, sku, unit_price_minor });
            }
            text::check_optional("description", description, NAME_BYTES_MAX)?;
        }
        Ok(())
    }

    fn check_charges(&self) -> Result<(), BillRejection> {
        if self.charges.len() > CHARGES_MAX {
            return Err(BillRejection::TooManyCharges { charges: self.charges.len() });
        }
        for charge in self.charges {
            text::check("code", &charge.code, SKU_BYTES_MAX)?;
            text::check_optional("description", &charge.description, NAME_BYTES_MAX)?;
        }
        Ok(())
    }
}

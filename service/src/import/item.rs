//! One line of an invoice, judged by itself.

use super::{amount::minor_units, columns::Fields};
use chrono::{DateTime, NaiveDateTime, Utc};
use northwind_aggregates::{Charge, Line, Sku};

/// A line of an invoice whose every field can be read.
#[derive(Debug, Clone)]
pub(super) struct Item<'a> {
    pub(super) article: Article<'a>,
    pub(super) description: &'a str,
    /// Never 0; negative for what comes back or is missing.
    pub(super) quantity: i64,
    /// Of one piece, at least 0.
    pub(super) price_minor: i64,
    pub(super) occurred_at: DateTime<Utc>,
}

/// What a line is about.
#[derive(Debug, Clone)]
pub(super) enum Article<'a> {
    /// Goods: their codes begin with a digit.
    Goods(Sku),
    /// Everything else: postage, fees, discounts, credits.
    Charge(&'a str),
}

impl<'a> Item<'a> {
    pub(super) fn judge(fields: &Fields<'a>) -> Result<Self, String> {
        if fields.invoice.is_empty() {
            return Err("the invoice number is empty".into());
        }
        let article = Article::of(fields.code)?;
        let quantity = fields.quantity;
        let quantity: i64 = quantity
            .parse()
            .map_err(|_| format!("quantity {quantity:?} is not a whole number that an amount can hold"))?;
        if quantity == 0 {
            return Err("the quantity is 0".into());
        }
        let price_minor = minor_units(fields.price)?;
        if price_minor < 0 {
            return Err(format!("price {} is below 0", fields.price));
        }
        let occurred_at = time(fields.date).ok_or_else(|| {
            format!(
                "date {:?} is no time as 2010-12-01T08:26:00Z, or in UTC as 2010-12-01 08:26:00 or 12/1/2010 8:26",
                fields.date
            )
        })?;
        Ok(Self { article, description: fields.description, quantity, price_minor, occurred_at })
    }

    /// Goods in a bill; `ordinal` counts the lines of the invoice from 1.
    pub(super) fn goods(&self, sku: &Sku, ordinal: u32) -> Result<Line, String> {
        let pieces = u32::try_from(self.quantity.unsigned_abs());
        let quantity =
            pieces.map_err(|_| format!("quantity {} is more than a line can hold", self.quantity))?;
        let (sku, description) = (sku.clone(), self.description.into());
        Ok(Line { line: ordinal, sku, description, quantity, unit_price_minor: self.price_minor })
    }

    /// A charge in a bill. On a credit note the same figures give money back: there `sign` is −1.
    pub(super) fn charge(&self, code: &str, ordinal: u32, sign: i64) -> Result<Charge, String> {
        let amount = self.price_minor.checked_mul(self.quantity).and_then(|amount| amount.checked_mul(sign));
        let amount_minor = amount.ok_or_else(|| {
            format!(
                "{} times {} minor units is more than an amount can hold",
                self.quantity, self.price_minor
            )
        })?;
        let (code, description) = (code.into(), self.description.into());
        Ok(Charge { line: ordinal, code, description, quantity: self.quantity, amount_minor })
    }
}

impl<'a> Article<'a> {
    fn of(code: &'a str) -> Result<Self, String> {
        if code.starts_with(|first: char| first.is_ascii_digit()) {
            return Ok(Self::Goods(Sku::new(code).map_err(|error| error.to_string())?));
        }
        if code.is_empty() {
            return Err("the stock code is empty".into());
        }
        Ok(Self::Charge(code))
    }
}

/// In which forms the public data set is handed around, besides RFC 3339: as UTC.
const DATE_FORMS: [&str; 4] = ["%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%m/%d/%y %H:%M", "%m/%d/%Y %H:%M"];

fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(exact) = DateTime::parse_from_rfc3339(text) {
        return Some(exact.into());
    }
    let naive = DATE_FORMS.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok())?;
    Some(naive.and_utc())
}

//! Amounts of money.

use serde::{Deserialize, Serialize};
use std::fmt;

/// An amount in the minor units of a currency: 1 234 of `GBP` are £12.34.
///
/// Arithmetic is checked: what does not fit, or mixes currencies, is an error with the figures.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Money {
    /// How many minor units; negative for what is given back.
    pub minor: i64,
    /// Of which currency.
    pub currency: Currency,
}

/// A currency by its three upper-case letters, as ISO 4217 names it.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Currency([u8; 3]);

/// Why amounts cannot be reckoned with.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The result is larger than an amount can be.
    #[error("{left} {operator} {right} is more than an amount can hold")]
    Overflow {
        /// The amount on the left, in minor units.
        left: i64,
        /// `+`, `-` or `*`.
        operator: char,
        /// The amount or quantity on the right.
        right: i64,
    },
    /// They are of two currencies.
    #[error("amounts in {left} and {right} cannot be reckoned together")]
    Currencies {
        /// The currency on the left.
        left: Currency,
        /// The currency on the right.
        right: Currency,
    },
}

/// What was given names no currency.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} names no currency: expected three upper-case letters, as GBP")]
pub struct CurrencyError(String);

impl Money {
    /// `minor` units of `currency`.
    pub const fn new(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// Nothing, in `currency`.
    pub const fn zero(currency: Currency) -> Self {
        Self::new(0, currency)
    }

    /// The sum.
    pub fn plus(self, other: Self) -> Result<Self, MoneyError> {
        self.reckon('+', other, i64::checked_add)
    }

    /// The difference.
    pub fn minus(self, other: Self) -> Result<Self, MoneyError> {
        self.reckon('-', other, i64::checked_sub)
    }

    /// `quantity` times the amount.
    pub fn times(self, quantity: u32) -> Result<Self, MoneyError> {
        let right = i64::from(quantity);
        let minor = self.minor.checked_mul(right);
        let minor = minor.ok_or(MoneyError::Overflow { left: self.minor, operator: '*', right })?;
        Ok(Self { minor, ..self })
    }

    fn reckon(
        self,
        operator: char,
        other: Self,
        how: fn(i64, i64) -> Option<i64>,
    ) -> Result<Self, MoneyError> {
        if self.currency != other.currency {
            return Err(MoneyError::Currencies { left: self.currency, right: other.currency });
        }
        let minor = how(self.minor, other.minor);
        let minor = minor.ok_or(MoneyError::Overflow { left: self.minor, operator, right: other.minor })?;
        Ok(Self { minor, ..self })
    }
}

impl Currency {
    /// Pound sterling.
    pub const GBP: Self = Self(*b"GBP");
    /// Euro.
    pub const EUR: Self = Self(*b"EUR");
    /// US dollar.
    pub const USD: Self = Self(*b"USD");

    /// The currency that `text` names.
    pub fn new(text: &str) -> Result<Self, CurrencyError> {
        match *text.as_bytes() {
            [a, b, c] if [a, b, c].iter().all(u8::is_ascii_uppercase) => Ok(Self([a, b, c])),
            _ => Err(CurrencyError(text.chars().take(16).collect())),
        }
    }

    /// Its three letters.
    pub fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).expect("three ASCII letters, checked when it was made")
    }
}

impl TryFrom<String> for Currency {
    type Error = CurrencyError;

    fn try_from(text: String) -> Result<Self, CurrencyError> {
        Self::new(&text)
    }
}

impl From<Currency> for String {
    fn from(currency: Currency) -> Self {
        currency.as_str().into()
    }
}

impl fmt::Display for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Currency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} minor units of {}", self.minor, self.currency)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PENNY: Money = Money::new(1, Currency::GBP);

    #[test]
    fn an_amount_that_does_not_fit_is_an_error_with_the_figures() {
        let most = Money::new(i64::MAX, Currency::GBP);
        assert_eq!(most.minus(PENNY).unwrap().plus(PENNY).unwrap(), most);
        let error = most.plus(PENNY).unwrap_err();
        assert_eq!(error.to_string(), "9223372036854775807 + 1 is more than an amount can hold");
        assert!(Money::new(i64::MIN, Currency::GBP).minus(PENNY).is_err());
        assert!(most.times(2).is_err());
        assert_eq!(most.times(1).unwrap(), most);
    }

    #[test]
    fn two_currencies_are_not_reckoned_together() {
        let error = PENNY.plus(Money::new(1, Currency::EUR)).unwrap_err();
        assert_eq!(error.to_string(), "amounts in GBP and EUR cannot be reckoned together");
    }

    #[test]
    fn a_currency_is_three_upper_case_letters() {
        for text in ["", "GB", "gbp", "GBPP", "G1P", "£"] {
            assert!(Currency::new(text).is_err(), "{text}");
            assert!(serde_json::from_value::<Currency>(text.into()).is_err(), "{text}");
        }
        assert_eq!(Currency::new("CHF").unwrap().as_str(), "CHF");
    }
}

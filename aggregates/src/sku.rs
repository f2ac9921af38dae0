//! Article numbers.

use crate::text::{self, TextError};
use serde::{Deserialize, Serialize};
use std::{fmt, sync::Arc};

/// The longest article number, in bytes.
pub const SKU_BYTES_MAX: usize = 64;

/// The number of an article ("stock keeping unit"), in upper case: `85123a` and `85123A` are one article.
///
/// 1 to [`SKU_BYTES_MAX`] bytes without control characters, so it always makes a key of a stream. This rule is a
/// storage contract: it may be widened, never narrowed, as events are read through it. Cloning counts a reference.
///
/// ```
/// use northwind_aggregates::Sku;
/// assert_eq!(Sku::new("85123a")?, Sku::new("85123A")?);
/// assert!(Sku::new("").is_err());
/// # Ok::<(), northwind_aggregates::TextError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Sku(Arc<str>);

impl Sku {
    /// The article that `text` names.
    ///
    /// # Errors
    /// When it is empty, too long, or holds a control character.
    pub fn new(text: &str) -> Result<Self, TextError> {
        text::check("sku", text, SKU_BYTES_MAX)?;
        // The upper case may be longer than what was given: that is what the limit is for.
        let upper = text.to_uppercase();
        text::check("sku", &upper, SKU_BYTES_MAX)?;
        Ok(Self(upper.into()))
    }

    /// The number, in upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for Sku {
    type Error = TextError;

    fn try_from(text: String) -> Result<Self, TextError> {
        Self::new(&text)
    }
}

impl From<Sku> for String {
    fn from(sku: Sku) -> Self {
        sku.0.as_ref().into()
    }
}

impl fmt::Display for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl fmt::Debug for Sku {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

//! Names of streams.

use std::{fmt, str::FromStr, sync::Arc};

/// Names a stream: `order-7f3c`, or `acme/order-7f3c` for a tenant.
///
/// The text is `[tenant/]category-key`, split at its first hyphen. Tenant and category are `[a-z][a-z0-9_]*`
/// and at most [`NAME_BYTES_MAX`] long; the key is free, 1 to [`KEY_BYTES_MAX`] bytes without NUL. So the text
/// parses back in one way only. Cloning counts a reference. Ordered by the bytes of the text.
///
/// ```
/// use annals::StreamId;
/// let stream: StreamId = "acme/order-7f-3c".parse()?;
/// assert_eq!((stream.tenant(), stream.category(), stream.key()), (Some("acme"), "order", "7f-3c"));
/// assert_eq!(stream, StreamId::new("order", "7f-3c")?.with_tenant("acme")?);
/// # Ok::<(), annals::StreamIdError>(())
/// ```
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct StreamId {
    text: Arc<str>,
    tenant_bytes: u8,
    category_bytes: u8,
}

/// The longest key of a stream, in bytes.
pub const KEY_BYTES_MAX: usize = 255;

/// The longest tenant and the longest category, in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Why a text names no stream.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StreamIdError {
    /// There is no hyphen between a category and a key.
    #[error("{0:?} names no stream: expected category-key or tenant/category-key")]
    Shape(String),
    /// A tenant or category is not `[a-z][a-z0-9_]*`.
    #[error(
        "{part} {text:?} is not allowed: expected a lower-case letter, then lower-case letters, digits and _"
    )]
    Name {
        /// `tenant` or `category`.
        part: &'static str,
        /// What was given, cut to [`KEY_BYTES_MAX`] bytes.
        text: String,
    },
    /// The key holds a NUL.
    #[error("key {text:?} holds a NUL, which no store can keep")]
    Nul {
        /// What was given.
        text: String,
    },
    /// A part is empty or too long.
    #[error("{part} is {bytes} bytes long, 1 to {max} are allowed")]
    Length {
        /// `tenant`, `category` or `key`.
        part: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        max: usize,
    },
}

impl StreamId {
    /// The same name in memory of its own. Clones that two threads count at the same time slow each other down: a
    /// store gives every page that it reads names that no other page has.
    #[must_use]
    pub fn unshared(&self) -> Self {
        Self { text: Arc::from(&*self.text), ..*self }
    }

    /// The stream of `key` in `category`, without a tenant.
    pub fn new(category: &str, key: impl fmt::Display) -> Result<Self, StreamIdError> {
        Self::of(None, category, key)
    }

    /// The stream of `key` in `category`, of `tenant` where there is one.
    pub fn of(tenant: Option<&str>, category: &str, key: impl fmt::Display) -> Result<Self, StreamIdError> {
        use fmt::Write;
        let mut text = String::with_capacity(64);
        if let Some(tenant) = tenant {
            check_name("tenant", tenant)?;
            text.push_str(tenant);
            text.push('/');
        }
        check_name("category", category)?;
        text.push_str(category);
        text.push('-');
        let key_at = text.len();
        write!(text, "{key}").map_err(|_| StreamIdError::Shape(text.clone()))?;
        check_key(&text[key_at..])?;
        let tenant_bytes = tenant.map_or(0, |tenant| tenant.len() as u8);
        Ok(Self { text: text.into(), tenant_bytes, category_bytes: category.len() as u8 })
    }

    /// The same category and key under `tenant`.
    pub fn with_tenant(&self, tenant: &str) -> Result<Self, StreamIdError> {
        Self::of(Some(tenant), self.category(), self.key())
    }

    /// The tenant, where there is one.
    pub fn tenant(&self) -> Option<&str> {
        (self.tenant_bytes > 0).then(|| &self.text[..self.tenant_bytes as usize])
    }

    /// The category: which kind of aggregate lives in the stream.
    pub fn category(&self) -> &str {
        &self.text[self.category_at()..self.category_at() + self.category_bytes as usize]
    }

    /// The key: which aggregate of its category.
    pub fn key(&self) -> &str {
        &self.text[self.category_at() + self.category_bytes as usize + 1..]
    }

    /// The whole name, as it is shown and stored.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    fn category_at(&self) -> usize {
        if self.tenant_bytes == 0 { 0 } else { self.tenant_bytes as usize + 1 }
    }
}

fn check_name(part: &'static str, text: &str) -> Result<(), StreamIdError> {
    if text.is_empty() || text.len() > NAME_BYTES_MAX {
        return Err(StreamIdError::Length { part, bytes: text.len(), max: NAME_BYTES_MAX });
    }
    let plain = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_';
    if !text.as_bytes()[0].is_ascii_lowercase() || !text.bytes().all(plain) {
        return Err(StreamIdError::Name { part, text: text.into() });
    }
    Ok(())
}

fn check_key(key: &str) -> Result<(), StreamIdError> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX {
        return Err(StreamIdError::Length { part: "key", bytes: key.len(), max: KEY_BYTES_MAX });
    }
    if key.contains('\0') {
        return Err(StreamIdError::Nul { text: key.into() });
    }
    Ok(())
}

impl FromStr for StreamId {
    type Err = StreamIdError;

    fn from_str(text: &str) -> Result<Self, StreamIdError> {
        let (names, key) = text.split_once('-').ok_or_else(|| StreamIdError::Shape(excerpt(text)))?;
        match names.split_once('/') {
            Some((tenant, category)) => Self::of(Some(tenant), category, key),
            None => Self::of(None, names, key),
        }
    }
}

/// An error quotes at most this much of what it was given.
fn excerpt(text: &str) -> String {
    text.chars().take(KEY_BYTES_MAX).collect()
}

impl fmt::Display for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl fmt::Debug for StreamId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests;

//! What the domain takes as a name, code or description.

use annals::KEY_BYTES_MAX;

/// The longest name, description, reason or reference, in bytes.
pub const NAME_BYTES_MAX: usize = 255;

/// Why a text is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TextError {
    /// There is nothing in it.
    #[error("{what} is empty")]
    Empty {
        /// What the text was for.
        what: &'static str,
    },
    /// It is too long.
    #[error("{what} is {bytes} bytes long, at most {max} are allowed")]
    TooLong {
        /// What the text was for.
        what: &'static str,
        /// Its length.
        bytes: usize,
        /// The longest allowed.
        max: usize,
    },
    /// It holds a control character, as a line end or a NUL.
    #[error("{what} {text:?} holds a control character at byte {at}")]
    Control {
        /// What the text was for.
        what: &'static str,
        /// The text.
        text: String,
        /// Where the first one is, from 0.
        at: usize,
    },
}

/// 1 to `max` bytes without control characters.
pub(crate) fn check(what: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    if text.is_empty() {
        return Err(TextError::Empty { what });
    }
    check_optional(what, text, max)
}

/// As [`check`], but may be empty: real descriptions are.
pub(crate) fn check_optional(what: &'static str, text: &str, max: usize) -> Result<(), TextError> {
    if text.len() > max {
        return Err(TextError::TooLong { what, bytes: text.len(), max });
    }
    // Without control characters JSON at most doubles a text: the largest order stays below the payload's limit.
    match text.find(char::is_control) {
        Some(at) => Err(TextError::Control { what, text: text.into(), at }),
        None => Ok(()),
    }
}

/// Absent, or 1 to [`NAME_BYTES_MAX`] bytes without control characters.
pub(crate) fn check_name(what: &'static str, name: Option<&str>) -> Result<(), TextError> {
    name.map_or(Ok(()), |name| check(what, name, NAME_BYTES_MAX))
}

/// What can be the key of a stream: the number of an order or return, as events bring it.
pub(crate) fn check_key(what: &'static str, key: &str) -> Result<(), TextError> {
    if key.is_empty() {
        return Err(TextError::Empty { what });
    }
    if key.len() > KEY_BYTES_MAX {
        return Err(TextError::TooLong { what, bytes: key.len(), max: KEY_BYTES_MAX });
    }
    match key.find('\0') {
        Some(at) => Err(TextError::Control { what, text: key.into(), at }),
        None => Ok(()),
    }
}

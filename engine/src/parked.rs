//! Events that a projection refused, kept aside under their key until somebody decides.

use crate::{Position, StreamId, Version};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The longest error text that is kept with a parked event, in bytes.
pub const PARKED_ERROR_BYTES_MAX: usize = 4_096;

/// An event that was parked under a key of a projection: the first of its key was refused, the others follow it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parked {
    /// The key of the document it would have changed.
    pub key: Arc<str>,
    /// Its place in the log.
    pub position: Position,
    /// Its stream.
    pub stream: StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Why it was refused; empty for one that merely follows another, at most [`PARKED_ERROR_BYTES_MAX`].
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was parked.
    pub parked_at: DateTime<Utc>,
}

/// What somebody wants done about the events parked under a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ParkedRequest {
    /// The key.
    pub key: Arc<str>,
    /// What to do.
    pub action: ParkedAction,
}

impl ParkedRequest {
    /// Which of the events `parked` under its key are dropped, and which are tried again.
    pub fn divide<'p>(&self, parked: &'p [Parked]) -> (&'p [Parked], &'p [Parked]) {
        let dropped = match self.action {
            ParkedAction::Discard => 1,
            ParkedAction::Retry => 0,
        };
        parked.split_at(dropped.min(parked.len()))
    }
}

/// What to do about the events parked under a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ParkedAction {
    /// Project them again, in order, as far as they go.
    Retry,
    /// Drop the first one, then project the others as far as they go.
    Discard,
}

/// `error` and its causes as one line, each cause once, cut to [`PARKED_ERROR_BYTES_MAX`] and without NUL.
pub fn error_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let says = error.to_string();
        // Many errors tell their cause themselves, some with a next step behind it.
        if !text.contains(&says) {
            text.push_str(": ");
            text.push_str(&says);
        }
        cause = error.source();
    }
    text = text.replace('\0', "\u{fffd}");
    let mut end = text.len().min(PARKED_ERROR_BYTES_MAX);
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    text.truncate(end);
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io;

    #[derive(Debug, thiserror::Error)]
    enum Failed {
        #[error("shop.db: {source}; make room")]
        Told { source: io::Error },
        #[error("shop.db cannot be written")]
        Untold { source: io::Error },
    }

    #[test]
    fn a_cause_is_told_once() {
        let full = || io::Error::other("the disk is full");
        let told = error_text(&Failed::Told { source: full() });
        assert_eq!(told, "shop.db: the disk is full; make room");
        let told = error_text(&Failed::Untold { source: full() });
        assert_eq!(told, "shop.db cannot be written: the disk is full");
    }
}

//! Why a right could not be given.

use super::ROLE_BYTES_MAX;
use annals::StoreError;

/// Why a right could not be given; nothing was.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum GrantError {
    /// The text is no name of one role.
    #[error(
        "{role:?} names no role: expected 1 to {ROLE_BYTES_MAX} bytes without NUL, and not public, which is everybody"
    )]
    Name {
        /// What was given, its beginning.
        role: String,
    },
    /// There is no such role.
    #[error("there is no role {role:?}")]
    NoRole {
        /// Which.
        role: String,
    },
    /// Only the owner gives rights.
    #[error("the tables are owned by {owner:?}, which this user may not act as")]
    NotOwner {
        /// Who does.
        owner: String,
    },
    /// The server failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl GrantError {
    /// What a person does about it; the server's own errors hold it.
    pub fn next_step(&self) -> Option<&'static str> {
        match self {
            Self::Name { .. } => Some("name one role"),
            Self::NoRole { .. } => Some("make it with CREATE ROLE … LOGIN, or check how it is spelt"),
            Self::NotOwner { .. } => Some("name the owner, or a superuser, as the user of the URL"),
            Self::Store(_) => None,
        }
    }
}

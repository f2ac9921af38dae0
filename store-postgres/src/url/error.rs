//! Why a URL is refused.

/// Why a text is no URL of a PostgreSQL database. Quotes nothing that may hold a password.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no PostgreSQL database is named: {reason}; {next_step}")]
pub struct UrlError {
    reason: String,
    next_step: &'static str,
}

impl UrlError {
    /// What is wrong with it.
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// What to write instead.
    pub fn next_step(&self) -> &'static str {
        self.next_step
    }

    pub(super) fn shape(reason: impl Into<String>) -> Self {
        Self::new(reason, "write it as postgres://USER@HOST:PORT/DATABASE?schema=NAME")
    }

    pub(super) fn option(reason: impl Into<String>) -> Self {
        let next_step = "the options are schema, password-file, pooler, unsafe-durability, sslmode, sslrootcert, \
                         sslcert, sslkey, application_name, host, port, user, password and dbname";
        Self::new(reason, next_step)
    }

    /// Signs that mean something else in a URL.
    pub(super) fn signs(reason: impl Into<String>) -> Self {
        let next_step = "write it as postgres://USER@HOST:PORT/DATABASE?schema=NAME, in a password %23 for #, %2F for /, \
                         %3F for ?, %40 for @ and %25 for %, or name a file with password-file=PATH";
        Self::new(reason, next_step)
    }

    pub(super) fn file(reason: impl Into<String>) -> Self {
        Self::new(reason, "check the path and the rights of this user")
    }

    pub(super) fn tls(reason: impl Into<String>) -> Self {
        let next_step = "say sslmode=verify-full, verify-ca or require, or sslmode=disable: then everything, passwords \
                         too, can be read on the way";
        Self::new(reason, next_step)
    }

    fn new(reason: impl Into<String>, next_step: &'static str) -> Self {
        Self { reason: reason.into(), next_step }
    }
}

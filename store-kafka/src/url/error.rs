//! Why a URL is refused.

/// Why a text is no URL of a Kafka cluster. Quotes nothing that may hold a secret.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no Kafka cluster is named: {reason}; {next_step}")]
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
        Self::new(reason, "write it as kafka://HOST:PORT or kafka://USER@HOST:PORT?password-file=PATH")
    }

    pub(super) fn option(reason: impl Into<String>) -> Self {
        Self::new(reason, "the options are security, mechanism, password-file, token-file, ca and settings")
    }

    /// Signs that mean something else in a URL.
    pub(super) fn signs(reason: impl Into<String>) -> Self {
        let next_step = "write it as kafka://USER@HOST:PORT?password-file=PATH, or in a user or password %23 for #, %24 for $, \
                         %2F for /, %3A for :, %3F for ?, %40 for @ and %25 for %";
        Self::new(reason, next_step)
    }

    pub(super) fn file(reason: impl Into<String>) -> Self {
        Self::new(reason, "check the path and the rights of this user")
    }

    pub(super) fn setting(reason: impl Into<String>) -> Self {
        Self::new(
            reason,
            "a line is name=value, as librdkafka's CONFIGURATION.md lists them, or begins with #",
        )
    }

    fn new(reason: impl Into<String>, next_step: &'static str) -> Self {
        Self { reason: reason.into(), next_step }
    }
}

//! In place of publishing, in a program that was built without it.

#[cfg(not(feature = "kafka"))]
pub use without::Publication;
#[cfg(not(feature = "kafka"))]
pub(crate) use without::{check_cluster, reach_cluster, sent_by};

use crate::CliError;

/// What such a program says.
fn absent(thing: &str) -> CliError {
    CliError::usage(thing, "this program was built without Kafka").next("build it with --features kafka")
}

#[cfg(not(feature = "kafka"))]
mod without {
    use super::absent;
    use crate::{CliError, Progress, Proven, PublishTerms, Published, Sent, StoreUrl, Stores};
    use annals::DocumentStore;
    use std::fmt;
    use tokio_util::sync::CancellationToken;

    /// There is none: asking for one says how to get a program that has it.
    #[derive(Debug, Clone)]
    pub enum Publication {}

    impl Publication {
        /// Fails.
        ///
        /// # Errors
        /// Always.
        pub fn of(_: &PublishTerms) -> Result<Self, CliError> {
            Err(absent("publish"))
        }

        /// Its name.
        pub fn name(&self) -> &str {
            match *self {}
        }

        /// Never called.
        pub async fn reach(&self) -> Result<(), CliError> {
            match *self {}
        }

        /// Never called.
        pub async fn catch_up(
            &self,
            _: &Stores,
            _: Option<Progress>,
            _: &CancellationToken,
        ) -> Result<Published, CliError> {
            match *self {}
        }

        /// Never called.
        pub async fn follow(&self, _: &Stores, _: CancellationToken) -> Result<Published, CliError> {
            match *self {}
        }

        /// Never called.
        pub async fn prove(&self, _: &Stores) -> Result<Proven, CliError> {
            match *self {}
        }
    }

    impl fmt::Display for Publication {
        fn fmt(&self, _: &mut fmt::Formatter<'_>) -> fmt::Result {
            match *self {}
        }
    }

    /// Fails: `command` wants Kafka.
    ///
    /// # Errors
    /// Always.
    pub(crate) fn check_cluster(command: &str, _: &str, _: Option<&StoreUrl>) -> Result<(), CliError> {
        Err(absent(command))
    }

    /// Fails.
    ///
    /// # Errors
    /// Always.
    pub(crate) async fn reach_cluster(_: &StoreUrl) -> Result<(), CliError> {
        Err(absent("lag --kafka"))
    }

    /// Fails.
    ///
    /// # Errors
    /// Always.
    pub(crate) async fn sent_by(
        _: &StoreUrl,
        _: &dyn DocumentStore,
        _: &str,
    ) -> Result<Option<Sent>, CliError> {
        Err(absent("lag --kafka"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_without_it_says_how_to_get_one_that_has_it() {
        let error = absent("publish");
        let mut text = vec![];
        error.print(false, &mut text).unwrap();
        let text = String::from_utf8(text).unwrap();
        assert_eq!(error.exit(), crate::Exit::Usage);
        assert_eq!(
            text,
            "error: publish: this program was built without Kafka\nnext: build it with --features kafka\n"
        );
    }
}

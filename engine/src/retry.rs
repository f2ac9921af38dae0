//! Trying again what failed only for now.

use crate::{AppendError, StoreError};
use backon::{ExponentialBuilder, Retryable};
use std::time::Duration;

/// How often a call to a store that failed for now is tried again before the failure is told.
pub const STORE_RETRIES_MAX: usize = 6;

/// The wait before the first of those retries; each further one is twice as long, with jitter.
pub const STORE_RETRY_FIRST: Duration = Duration::from_millis(10);

fn backoff() -> ExponentialBuilder {
    ExponentialBuilder::default()
        .with_jitter()
        .with_min_delay(STORE_RETRY_FIRST)
        .with_max_times(STORE_RETRIES_MAX)
}

/// Errors that may pass.
pub(crate) trait Passing {
    fn passes(&self) -> bool;
}

impl Passing for StoreError {
    fn passes(&self) -> bool {
        self.is_transient()
    }
}

impl Passing for AppendError {
    fn passes(&self) -> bool {
        matches!(self, Self::Store(error) if error.is_transient())
    }
}

/// Calls until it succeeds, fails for good, or has failed [`STORE_RETRIES_MAX`] times more.
pub(crate) async fn transient<T, E, F, Fut>(call: F) -> Result<T, E>
where
    E: Passing + std::error::Error,
    F: FnMut() -> Fut,
    Fut: Future<Output = Result<T, E>>,
{
    call.retry(backoff())
        .when(E::passes)
        .notify(|error: &E, wait: Duration| {
            metrics::counter!("annals_store_retries").increment(1);
            tracing::warn!(error = %crate::error_text(error), ?wait, "the store failed for now; trying again");
        })
        .await
}

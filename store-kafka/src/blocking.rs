//! Work that blocks, on behalf of a part.

use crate::{KafkaFailed, KafkaOptions};
use rdkafka::error::KafkaError;

/// Does `work` where it may block.
///
/// Where the runtime ends before it is begun, this does not come back: the part that waits ends with the runtime, and
/// must not report that as a failure of Kafka, which would stand there until somebody else has written a page.
pub(crate) async fn blocking<T: Send + 'static>(
    options: &KafkaOptions,
    doing: &'static str,
    work: impl FnOnce() -> Result<T, KafkaFailed> + Send + 'static,
) -> Result<T, KafkaFailed> {
    match tokio::task::spawn_blocking(work).await {
        Ok(outcome) => outcome,
        Err(error) if error.is_cancelled() => std::future::pending().await,
        Err(_) => Err(options.failed(doing, KafkaError::Canceled)),
    }
}

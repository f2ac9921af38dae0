//! Whether a cluster answers.

use crate::{KafkaFailed, KafkaOptions, client::partitions};
use rdkafka::error::KafkaError;

/// The topic that is asked for, because a cluster wants to be asked for some. It need not be there.
const ANY_TOPIC: &str = "annals";

impl KafkaOptions {
    /// Asks the cluster for an answer, whatever it is: at most 15 seconds.
    ///
    /// # Errors
    /// When none comes, or this user may not ask.
    pub async fn reach(&self) -> Result<(), KafkaFailed> {
        let (asking, reader) = (self.clone(), self.reader()?);
        let asked = tokio::task::spawn_blocking(move || partitions(&asking, &reader, ANY_TOPIC).map(drop));
        let gone = |_| Err(self.failed("asking whether the cluster is there", KafkaError::Canceled));
        asked.await.unwrap_or_else(gone)
    }
}

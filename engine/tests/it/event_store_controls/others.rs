//! Faults towards others who use the same log or database.

use super::*;
use tokio::sync::Mutex;

/// Reads wait for whatever transaction is open.
#[derive(Default)]
pub(super) struct WaitsForOthers(Arc<Mutex<()>>);

#[async_trait]
impl Fault for WaitsForOthers {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let _waited = self.0.lock().await;
        sound.read_log(after, limit, filter).await
    }

    async fn transaction(&self) -> Option<Box<dyn Any + Send>> {
        Some(Box::new(self.0.clone().lock_owned().await))
    }
}

/// The same, but waiting for nobody: the test above fails for its fault, not for the transaction.
#[derive(Default)]
pub(super) struct WaitsForNobody(Arc<Mutex<()>>);

#[async_trait]
impl Fault for WaitsForNobody {
    async fn transaction(&self) -> Option<Box<dyn Any + Send>> {
        Some(Box::new(self.0.clone().lock_owned().await))
    }
}

/// Its head moves with its own commits only.
pub(super) struct HearsOnlyItself(watch::Sender<Position>);

impl Default for HearsOnlyItself {
    fn default() -> Self {
        Self(watch::Sender::new(Position::START))
    }
}

#[async_trait]
impl Fault for HearsOnlyItself {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let committed = sound.append(commit).await?;
        self.0.send_replace(committed.position);
        Ok(committed)
    }

    fn head(&self, _: &MemoryStore) -> watch::Receiver<Position> {
        self.0.subscribe()
    }
}

//! A store that says aloud what it acknowledges.

use crate::Report;
use annals::{
    AppendError, Commit, Committed, EventId, EventStore, LogFilter, LogPage, PageLimit, Position,
    RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo, VersionRange,
};
use async_trait::async_trait;
use std::sync::Arc;
use tokio::sync::watch;

/// When a commit is said to be acknowledged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Acknowledge {
    /// When the store has answered.
    Committed,
    /// Before the store is asked: what a store must never do. The control of the stories that kill.
    Early,
}

/// The store behind it, telling a [`Report`] for each commit that was acknowledged.
pub struct Witness {
    store: Arc<dyn EventStore>,
    when: Acknowledge,
}

impl Witness {
    /// Tells what `store` acknowledges.
    pub fn new(store: Arc<dyn EventStore>, when: Acknowledge) -> Self {
        Self { store, when }
    }
}

#[async_trait]
impl EventStore for Witness {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        if self.when == Acknowledge::Early {
            Report::acknowledged(&commit, None).iter().for_each(Report::tell);
            return self.store.append(commit).await;
        }
        let committed = self.store.append(commit.clone()).await?;
        // A repeat carries what was decided now, which need not be what is stored: the answer tells that.
        if !committed.repeated {
            Report::acknowledged(&commit, Some(&committed)).iter().for_each(Report::tell);
        }
        Ok(committed)
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read(stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.store.streams(filter, after, limit).await
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        self.store.read_log(after, limit, filter).await
    }

    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        self.store.committed(stream, first_event).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.store.head()
    }
}

//! A way to a store on which commits stand still, so that a process can be paused with them on their way.

use crate::Report;
use annals::{
    AppendError, Commit, Committed, EventId, EventStore, LogFilter, LogPage, PageLimit, Position,
    RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo, VersionRange,
};
use async_trait::async_trait;
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// The way to the store behind it. What is on its way arrives, also where its sender has given up meanwhile.
pub struct Standing {
    store: Arc<dyn EventStore>,
    after: u64,
    sent: AtomicU64,
    until: CancellationToken,
}

impl Standing {
    /// Lets commits stand still behind the first `after`, until `until`.
    pub fn new(store: Arc<dyn EventStore>, after: u64, until: CancellationToken) -> Self {
        Self { store, after, sent: AtomicU64::new(0), until }
    }
}

#[async_trait]
impl EventStore for Standing {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.append_chain(vec![commit]).await.pop().expect("the first of a chain is answered")
    }

    async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        let before = self.sent.fetch_add(commits.len() as u64, Ordering::Relaxed);
        let (store, until, stands) = (self.store.clone(), self.until.clone(), before >= self.after);
        let arriving = tokio::spawn(async move {
            if stands && !until.is_cancelled() {
                Report::Standing.tell();
                until.cancelled().await;
            }
            store.append_chain(commits).await
        });
        let gone = |error| vec![Err(StoreError::permanent("appending", error).into())];
        arriving.await.unwrap_or_else(gone)
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

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

/// The store behind it, telling a [`Report`] for each commit that was acknowledged, or came again.
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
            tell_early(&commit);
            return self.store.append(commit).await;
        }
        let committed = self.store.append(commit.clone()).await?;
        tell(&commit, &committed);
        Ok(committed)
    }

    async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        if self.when == Acknowledge::Early {
            commits.iter().for_each(tell_early);
            return self.store.append_chain(commits).await;
        }
        let answers = self.store.append_chain(commits.clone()).await;
        for (commit, answer) in commits.iter().zip(&answers) {
            if let Ok(committed) = answer {
                tell(commit, committed);
            }
        }
        answers
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

fn tell_early(commit: &Commit) {
    Report::acknowledged(commit, None).iter().for_each(Report::tell);
}

fn tell(commit: &Commit, committed: &Committed) {
    match committed.repeated {
        false => Report::acknowledged(commit, Some(committed)).iter().for_each(Report::tell),
        // It carries what was decided now, which need not be what is stored: the answer tells that.
        true => {
            let again = |write: &annals::Write| Report::Repeated { stream: write.stream.to_string() };
            commit.writes().iter().map(again).for_each(|report| report.tell());
        }
    }
}

//! The contract of an event store. `annals::testing` holds the suite that every store passes.

use crate::{
    AppendError, Commit, Committed, EventId, LogFilter, LogPage, PageLimit, Position, RecordedEvent,
};
use crate::{StreamId, Version};
use async_trait::async_trait;
use std::error::Error;
use tokio::sync::watch;

/// Keeps events, and never changes or loses one.
///
/// What every store promises; the names are those of the tests in `annals::testing`:
///
/// - **C1** A commit is all or nothing, over one or several streams; each named stream gets at least one event.
/// - **C2** The versions of a stream are 1, 2, 3…
/// - **C3** `append` returns only after the commit is durable.
/// - **C4** Exactly one of several racing writers with the same expected version wins; the others get
///   [`AppendError::Conflict`] with the actual version.
/// - **C5** A commit's rows are contiguous, and each keeps its place in the commit and the commit's size. If the
///   first event id of a commit is stored as the first of a commit on that stream, the whole first result is
///   returned with `repeated` set, whatever else the repeat carries; this is told before a conflict. Any other
///   id that is already stored is [`AppendError::DuplicateId`].
/// - **C6** `read_log` never later shows an event at or below a position that it reported as looked at: no gap
///   ever fills in behind a reader.
/// - **C7** Within a stream, position order is version order.
/// - **C8** Payload and metadata come back byte for byte.
/// - **C9** A refused or failed commit leaves nothing.
/// - **C10** An unrelated open transaction in the same database delays no reader.
/// - **C11** Limits are refused exactly at the limit, with [`AppendError::TooLarge`].
/// - **C12** A connection lost in the middle of an append gives a transient error; sending the commit again is
///   safe by C5.
/// - **C13** `recorded_at` never decreases along the log, so a time names a position. It has microseconds.
/// - **C14** `head` loses no wake-up: after each notification the head is at least what was committed before it,
///   and commits of other processes are seen too.
///
/// Dropping the future of `append` does not take the append back: once accepted it is carried out.
#[async_trait]
pub trait EventStore: Send + Sync + 'static {
    /// Appends all events of `commit`, or none.
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError>;

    /// Appends commits that build on each other, in order; each only if the one before it was newly written.
    ///
    /// Answers those that were tried: all of them, or up to and with the first that was refused, failed, or had
    /// arrived before. What lies behind that one is not written, also where its expected version happens to hold:
    /// it was decided on a state that never was. A store with one writer carries a chain out in one transaction, so
    /// that many commands for one hot aggregate share one flush to the disk.
    async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        let mut answers = Vec::with_capacity(commits.len());
        for commit in commits {
            let answer = self.append(commit).await;
            let goes_on = answer.as_ref().is_ok_and(|committed| !committed.repeated);
            answers.push(answer);
            if !goes_on {
                break;
            }
        }
        answers
    }

    /// Events of one stream, at most `limit`, in the direction of `range`. A stream that does not exist is empty.
    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError>;

    /// The streams there are behind `after`, ordered by the bytes of their names, at most `limit`.
    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError>;

    /// Events of the log behind `after` that `filter` takes, in log order, at most `limit`.
    ///
    /// Looks at [`LOOKED_POSITIONS_MAX`](crate::LOOKED_POSITIONS_MAX) positions at most, so that a reader of a
    /// rare type makes progress; [`LogPage::looked`] says how far it came.
    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError>;

    /// The result of the commit that begins with `first_event` on `stream`, if there was one.
    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError>;

    /// The position of the last event; moves when something was committed, here or in another process.
    fn head(&self) -> watch::Receiver<Position>;
}

/// Which events of a stream to read, and from which end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VersionRange {
    after: Version,
    through: Version,
    backwards: bool,
}

impl VersionRange {
    /// The whole stream, forwards.
    pub const ALL: Self = Self::after(Version::EMPTY);

    /// What follows `version`, forwards.
    pub const fn after(version: Version) -> Self {
        Self { after: version, through: Version::new(u64::MAX), backwards: false }
    }

    /// Only up to and with `version`.
    #[must_use]
    pub const fn through(self, version: Version) -> Self {
        Self { through: version, ..self }
    }

    /// The same events, the last one first.
    #[must_use]
    pub const fn backwards(self) -> Self {
        Self { backwards: true, ..self }
    }

    /// Excluded lower end.
    pub const fn lower(self) -> Version {
        self.after
    }

    /// Included upper end.
    pub const fn upper(self) -> Version {
        self.through
    }

    /// Whether the last event comes first.
    pub const fn is_backwards(self) -> bool {
        self.backwards
    }
}

/// Which streams to list. The default lists all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamFilter {
    /// Only those of this tenant.
    pub tenant: Option<String>,
    /// Only those of this category.
    pub category: Option<String>,
}

impl StreamFilter {
    /// All streams.
    pub fn all() -> Self {
        Self::default()
    }

    /// Only those of `tenant`.
    #[must_use]
    pub fn tenant(self, tenant: impl Into<String>) -> Self {
        Self { tenant: Some(tenant.into()), ..self }
    }

    /// Only those of `category`.
    #[must_use]
    pub fn category(self, category: impl Into<String>) -> Self {
        Self { category: Some(category.into()), ..self }
    }

    /// Whether `stream` is listed.
    pub fn takes(&self, stream: &StreamId) -> bool {
        self.tenant.as_deref().is_none_or(|tenant| stream.tenant() == Some(tenant))
            && self.category.as_deref().is_none_or(|category| stream.category() == category)
    }
}

/// A stream that exists.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct StreamInfo {
    /// Its name.
    pub stream: StreamId,
    /// Of its last event.
    pub version: Version,
}

impl StreamInfo {
    /// An entry of a listing, made by a store.
    pub fn new(stream: StreamId, version: Version) -> Self {
        Self { stream, version }
    }
}

/// A store, or the database behind it, failed. `source` says how.
#[derive(Debug, thiserror::Error)]
#[error("the store failed while {doing}")]
pub struct StoreError {
    doing: &'static str,
    transient: bool,
    #[source]
    source: Box<dyn Error + Send + Sync>,
}

impl StoreError {
    /// A failure that may pass: the same call may succeed later. `doing` continues "the store failed while".
    pub fn transient(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing, transient: true, source: source.into() }
    }

    /// A failure that stays until somebody mends something.
    pub fn permanent(doing: &'static str, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { doing, transient: false, source: source.into() }
    }

    /// Whether the same call may succeed later.
    pub fn is_transient(&self) -> bool {
        self.transient
    }
}

//! The store: appends go to the writer, reads to the readers.

use super::{
    LOG_FILE,
    head::Head,
    readers::Readers,
    snapshots::Keep,
    writer::{self, Writer},
};
use crate::{FileError, SqliteOptions, open::open_writer};
use annals::{
    AppendError, Commit, Committed, EventId, EventStore, LogFilter, LogPage, PageLimit, Position,
    RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo, VersionRange,
    batch::{self, AppendQueue},
};
use async_trait::async_trait;
use std::thread::JoinHandle;
use tokio::sync::watch;

/// An event store in one SQLite file, with snapshots beside the events. Keeps every promise of [`EventStore`].
///
/// - Appends of many tasks are written by one thread, as many as wait in one transaction; each is answered when
///   the transaction is on the disk. With [`Synchronous::Normal`](crate::Synchronous::Normal) a power cut can take
///   the last ones back: **C3** holds for killed processes only.
/// - Several processes may open one file. They take turns; one that waits longer than
///   [`BUSY_WAIT_MAX`](crate::BUSY_WAIT_MAX) gets a transient error. Their events are seen within
///   [`FOREIGN_POLL`](super::FOREIGN_POLL) by whoever follows [`head`](EventStore::head).
/// - When the disk is full the append is refused, what was acknowledged stays, and appending works again when there
///   is room. When the disk fails to flush, the writer refuses everything until the store is opened anew, because
///   nobody knows what a second flush would prove.
/// - The file belongs on a local disk: SQLite's locks do not work on network file systems.
///
/// Dropping the store carries out what waits and closes the file; it blocks until then.
///
/// ```
/// # tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use annals::{Commit, EventData, EventId, EventStore, Expected, Json};
/// use annals_sqlite::{SqliteOptions, SqliteStore};
/// # let dir = tempfile::tempdir()?;
/// # let path = dir.path().join("northwind.db");
/// let store = SqliteStore::open(&SqliteOptions::new(path))?;
/// let placed = EventData::raw(EventId::random(), "Placed", 1, Json::empty());
/// let committed = store.append(Commit::to("order-7".parse()?, Expected::NEW, [placed])).await?;
/// assert_eq!(committed.position.get(), 1);
/// # Ok::<(), Box<dyn std::error::Error>>(()) }).unwrap();
/// ```
#[derive(Debug)]
pub struct SqliteStore {
    pub(super) options: SqliteOptions,
    pub(super) readers: Readers,
    head: Head,
    /// `None` only while the store is dropped.
    appends: Option<AppendQueue<Keep>>,
    writer: Option<JoinHandle<()>>,
}

impl SqliteStore {
    /// Opens the file, makes it if it is missing, and starts the writer.
    ///
    /// # Errors
    /// [`FileError`] when the file holds something else or was written by a newer program (it is left as it is), when
    /// it cannot be written, or when a setting did not take.
    pub fn open(options: &SqliteOptions) -> Result<Self, FileError> {
        let failed = |source| FileError::failed(&options.path, "opening it", source);
        let connection = open_writer(&options.path, options.synchronous, &LOG_FILE)?;
        let readers = Readers::of(&options.path)?;
        let (appends, intake) = batch::queue();
        let head = Head::watching(&options.path)?;
        let writer = Writer::new(connection, options.path.clone(), head.sender()).map_err(failed)?;
        let writer = std::thread::Builder::new()
            .name("annals-writer".into())
            .spawn(move || writer::run(writer, intake))
            .map_err(|source| FileError::Path { path: options.path.clone(), source })?;
        Ok(Self { options: options.clone(), readers, head, appends: Some(appends), writer: Some(writer) })
    }

    pub(super) fn queue(&self) -> &AppendQueue<Keep> {
        self.appends.as_ref().expect("only dropping the store takes it")
    }
}

#[async_trait]
impl EventStore for SqliteStore {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.queue().append(commit).await
    }

    async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        self.queue().append_chain(commits).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.readers.read(stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        let (filter, after) = (filter.clone(), after.cloned());
        self.readers.apart("listing streams", move |r| r.streams(&filter, after.as_ref(), limit)).await
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        let filter = filter.clone();
        self.readers.apart("reading the log", move |reader| reader.read_log(after, limit, &filter)).await
    }

    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        self.readers.here("looking for a commit", |reader| reader.committed(stream, first_event)).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.head.subscribe()
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Whoever only reads goes first: the writer then finds itself alone, and leaves one file.
        self.head.end();
        self.readers.close();
        drop(self.appends.take());
        if let Some(writer) = self.writer.take()
            && writer.join().is_err()
        {
            tracing::error!(path = %self.options.path.display(), "the writer of the log panicked");
        }
    }
}

//! A few connections that read, and on which thread they do it.

use super::reader::{Portion, Reader};
use crate::{
    FileError,
    error::UseError,
    threads::{Lost, Threads},
};
use annals::{PageLimit, RecordedEvent, StoreError, StreamId, Version, VersionRange};
use std::{
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// How many connections read at the same time on the tasks that ask, and how many on threads of their own; further
/// reads wait.
pub const LOG_READERS_MAX: usize = 8;

/// What is read on the calling task before the rest goes to a thread: handing ten events over would cost more than
/// reading them.
const HERE: Portion = Portion { events: 128, bytes: 256 << 10 };

const ALL: Portion = Portion { events: usize::MAX, bytes: usize::MAX };

#[derive(Clone)]
pub(super) struct Readers {
    shared: Arc<Shared>,
    threads: Arc<Threads<Reader>>,
    permits: Arc<Semaphore>,
}

struct Shared {
    path: PathBuf,
    idle: Mutex<Vec<Reader>>,
}

/// A reader on loan.
struct Loan {
    reader: Reader,
    shared: Arc<Shared>,
    _permit: OwnedSemaphorePermit,
}

impl Readers {
    /// Of the log in `path`; opens the first one.
    pub(super) fn of(path: &Path) -> Result<Self, FileError> {
        let idle = Mutex::new(vec![Reader::open(path)?]);
        let shared = Arc::new(Shared { path: path.into(), idle });
        let path = path.to_path_buf();
        let threads = Arc::new(Threads::new("annals-reader", LOG_READERS_MAX, move || Reader::open(&path)));
        Ok(Self { shared, threads, permits: Arc::new(Semaphore::new(LOG_READERS_MAX)) })
    }

    /// Reads a little on the calling task.
    pub(super) async fn here<T>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&mut Reader) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.loan(doing).await?.with(doing, read)
    }

    /// Reads much, on a thread of its own.
    pub(super) async fn apart<T: Send + 'static>(
        &self,
        doing: &'static str,
        read: impl FnOnce(&mut Reader) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, StoreError> {
        match self.threads.run(rusqlite::Result::is_ok, read).await {
            Ok(done) => done.map_err(|error| UseError::told(&self.shared.path, doing, error)),
            Err(Lost::Unopened(error)) => Err(StoreError::transient(doing, error)),
            Err(Lost::Thread(error)) => Err(StoreError::transient(doing, error)),
        }
    }

    /// Events of one stream: the first of them on the calling task, the rest apart.
    pub(super) async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        let (doing, limit) = ("reading a stream", limit.get());
        let (mut events, more) = self.here(doing, |reader| reader.read(stream, range, limit, HERE)).await?;
        let Some(last) = events.last().filter(|_| more) else { return Ok(events) };
        // Rows never change, so going on behind the last one is as good as one read.
        let range = if range.is_backwards() {
            let upper = Version::new(last.version.get() - 1);
            VersionRange::after(range.lower()).through(upper).backwards()
        } else {
            VersionRange::after(last.version).through(range.upper())
        };
        let (stream, limit) = (stream.clone(), limit - events.len());
        let (rest, _) = self.apart(doing, move |reader| reader.read(&stream, range, limit, ALL)).await?;
        events.extend(rest);
        Ok(events)
    }

    /// Closes the connections that nobody reads with.
    pub(super) fn close(&self) {
        self.shared.idle().clear();
        self.threads.close();
    }

    async fn loan(&self, doing: &'static str) -> Result<Loan, StoreError> {
        let failed = |error: FileError| StoreError::transient(doing, error);
        let permit = self.permits.clone().acquire_owned().await.expect("the semaphore is never closed");
        let idle = self.shared.idle().pop();
        let reader = idle.map_or_else(|| Reader::open(&self.shared.path), Ok).map_err(failed)?;
        Ok(Loan { reader, shared: self.shared.clone(), _permit: permit })
    }
}

impl Loan {
    fn with<T>(
        mut self,
        doing: &'static str,
        read: impl FnOnce(&mut Reader) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let done = read(&mut self.reader);
        // A connection that failed is closed rather than handed to the next.
        if done.is_ok() {
            self.shared.idle().push(self.reader);
        }
        done.map_err(|error| UseError::told(&self.shared.path, doing, error))
    }
}

impl Shared {
    fn idle(&self) -> MutexGuard<'_, Vec<Reader>> {
        self.idle.lock().expect("nothing panics while it holds the readers")
    }
}

impl std::fmt::Debug for Readers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Readers").field("path", &self.shared.path).finish_non_exhaustive()
    }
}

//! Threads that each own a connection.
//!
//! Not the runtime's threads for blocking work: of those another one takes each turn, so each keeps memory, and what
//! one has allocated is freed by the next. Here the thread that was busy last is asked first, so few are busy at all:
//! the peak of a replay of 10⁶ events fell from 41 to 47 MB to 21 MB, and to 1.1 times that of 10⁵.

use crate::FileError;
use std::{
    error::Error,
    fmt, io,
    sync::{Arc, Mutex, MutexGuard, PoisonError, mpsc},
    thread::{self, JoinHandle},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

/// A number of threads, started when they are needed, each with a connection of its own.
pub(crate) struct Threads<C> {
    shared: Arc<Shared<C>>,
    turns: Arc<Semaphore>,
}

/// Why there is no result.
#[derive(Debug)]
pub(crate) enum Lost {
    /// The connection could not be opened.
    Unopened(FileError),
    /// The thread could not be started, or what it did has panicked.
    Thread(Box<dyn Error + Send + Sync>),
}

struct Shared<C> {
    name: &'static str,
    open: Box<dyn Fn() -> Result<C, FileError> + Send + Sync>,
    /// The one that was busy last comes last.
    idle: Mutex<Vec<Worker<C>>>,
}

struct Worker<C> {
    jobs: mpsc::Sender<Job<C>>,
    thread: JoinHandle<()>,
}

type Job<C> = Box<dyn FnOnce(&mut Option<C>) + Send>;

/// A worker on loan. Dropped without having been given back, it ends.
struct Loan<C> {
    worker: Worker<C>,
    shared: Arc<Shared<C>>,
    _turn: OwnedSemaphorePermit,
}

impl<C: Send + 'static> Threads<C> {
    /// At most `most` threads called `name`, each with a connection from `open`.
    pub(crate) fn new(
        name: &'static str,
        most: usize,
        open: impl Fn() -> Result<C, FileError> + Send + Sync + 'static,
    ) -> Self {
        let shared = Shared { name, open: Box::new(open), idle: Mutex::default() };
        Self { shared: Arc::new(shared), turns: Arc::new(Semaphore::new(most)) }
    }

    /// Starts the first thread, with a connection that is open already.
    pub(crate) fn with(self, connection: C) -> io::Result<Self> {
        let worker = Worker::start(self.shared.name, Some(connection))?;
        self.shared.idle().push(worker);
        Ok(self)
    }

    /// Runs `act` on one of the threads; waits for its turn while all are busy, in order of arrival. Dropping the
    /// future does not take back what has begun. A connection that is not `sound` afterwards is closed.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        sound: fn(&T) -> bool,
        act: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> Result<T, Lost> {
        let turn = self.turns.clone().acquire_owned().await.expect("the semaphore is never closed");
        let idle = self.shared.idle().pop();
        let worker = match idle {
            Some(worker) => worker,
            None => Worker::start(self.shared.name, None).map_err(|error| Lost::Thread(error.into()))?,
        };
        let (tell, told) = oneshot::channel();
        let jobs = worker.jobs.clone();
        let loan = Loan { worker, shared: self.shared.clone(), _turn: turn };
        let job = move |slot: &mut Option<C>| {
            let done = opened(slot, &loan.shared).map(act);
            if done.as_ref().is_ok_and(sound) {
                // Before the answer: whoever comes next finds it idle.
                loan.give_back();
            }
            // Nobody may be waiting any more.
            let _ = tell.send(done);
        };
        // A thread that is gone drops the job, and `told` says so.
        let _ = jobs.send(Box::new(job));
        // At once: closing waits for the thread, which waits for the last sender.
        drop(jobs);
        told.await.unwrap_or_else(|gone| Err(Lost::Thread(gone.into())))
    }

    /// Closes the connections that nobody uses; blocks until then.
    pub(crate) fn close(&self) {
        let idle = std::mem::take(&mut *self.shared.idle());
        for Worker { jobs, thread } in idle {
            drop(jobs);
            if thread.join().is_err() {
                tracing::error!(thread = self.shared.name, "a thread panicked");
            }
        }
    }
}

fn opened<'a, C>(slot: &'a mut Option<C>, shared: &Shared<C>) -> Result<&'a mut C, Lost> {
    match slot {
        Some(connection) => Ok(connection),
        None => Ok(slot.insert((shared.open)().map_err(Lost::Unopened)?)),
    }
}

impl<C: Send + 'static> Worker<C> {
    fn start(name: &'static str, mut connection: Option<C>) -> io::Result<Self> {
        let (jobs, to_do) = mpsc::channel::<Job<C>>();
        let work = move || to_do.into_iter().for_each(|job| job(&mut connection));
        let thread = thread::Builder::new().name(name.into()).spawn(work)?;
        Ok(Self { jobs, thread })
    }
}

impl<C> Loan<C> {
    fn give_back(self) {
        let Self { worker, shared, _turn } = self;
        shared.idle().push(worker);
    }
}

impl<C> Shared<C> {
    fn idle(&self) -> MutexGuard<'_, Vec<Worker<C>>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<C> fmt::Debug for Threads<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Threads").field("name", &self.shared.name).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;

//! A thread that does one piece of work after the other.
//!
//! Not the runtime's threads for blocking work: of those another one takes each turn, and what one has allocated the next
//! one frees. That took half of the time of publishing.

use std::{io, sync::mpsc, thread};
use tokio::sync::oneshot;

/// How many pieces of work wait: whoever hands one over waits for its end.
const WAITING_MAX: usize = 1;

type Job = Box<dyn FnOnce() + Send>;

/// The thread. It ends when this is dropped and what it is at is done.
#[derive(Debug)]
pub(crate) struct OwnThread(mpsc::SyncSender<Job>);

impl OwnThread {
    /// # Errors
    /// When this machine makes no thread.
    pub(crate) fn start(name: &str) -> io::Result<Self> {
        let (jobs, to_do) = mpsc::sync_channel::<Job>(WAITING_MAX);
        thread::Builder::new().name(name.into()).spawn(move || to_do.into_iter().for_each(|job| job()))?;
        Ok(Self(jobs))
    }

    /// Does `work`, which goes on where nobody waits for it any more. `None` when it panicked: the thread is gone then.
    pub(crate) async fn run<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Option<T> {
        let (tell, told) = oneshot::channel();
        let job = move || {
            // Nobody may be waiting any more.
            let _ = tell.send(work());
        };
        // A thread that is gone or busy drops the job, and `told` says so.
        let _ = self.0.try_send(Box::new(job));
        told.await.ok()
    }
}

//! A thread that does one piece of work after the other.
//!
//! Not the runtime's threads for blocking work: of those another one takes each turn, and what one has allocated the
//! next one frees. That took half of the time of publishing.

use std::{io, sync::mpsc, thread};
use tokio::sync::oneshot;

/// How many pieces of work wait: whoever hands one over waits for its end.
const WAITING_MAX: usize = 1;

type Job = Box<dyn FnOnce() + Send>;

/// The thread. It ends when this is dropped and what it is at is done; nobody waits for that, not even the end of the
/// process. What is under way then was given up before.
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::thread::ThreadId;

    #[tokio::test]
    async fn all_work_is_done_by_one_thread_in_order() {
        let mut own = OwnThread::start("works").unwrap();
        let mut by: Vec<(u32, ThreadId)> = Vec::new();
        for piece in 0..100 {
            by.push(own.run(move || (piece, thread::current().id())).await.unwrap());
        }
        let thread = by[0].1;
        assert_ne!(thread, thread::current().id());
        assert_eq!(by, (0..100).map(|piece| (piece, thread)).collect::<Vec<_>>());
    }

    /// Broken on purpose: where a job that was not taken is kept, the second wait has no end.
    #[tokio::test]
    async fn a_thread_that_panicked_says_so_and_does_nothing_any_more() {
        let mut own = OwnThread::start("panics").unwrap();
        assert_eq!(own.run(|| -> u32 { panic!("on purpose") }).await, None);
        assert_eq!(own.run(|| 1).await, None);
    }
}

//! A producer that is heard while it has nothing to do.

use crate::client::Producer;
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long the thread waits for a report before it looks whether it is still wanted.
const LISTENS: Duration = Duration::from_millis(50);

/// A producer with a thread that hears what it reports. Tokens for OAUTHBEARER are asked for this way only: a producer that
/// nobody polls does not even begin, and one that idles past its token is thrown out.
pub(crate) struct Polled {
    producer: Arc<Producer>,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Polled {
    /// # Errors
    /// When this machine makes no thread.
    pub(crate) fn new(producer: Producer) -> std::io::Result<Self> {
        let (producer, ended) = (Arc::new(producer), Arc::new(AtomicBool::new(false)));
        let (heard, over) = (producer.clone(), ended.clone());
        let thread = thread::Builder::new().name("annals-kafka-hears".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                heard.poll(LISTENS);
            }
        })?;
        Ok(Self { producer, ended, thread: Some(thread) })
    }
}

impl Deref for Polled {
    type Target = Producer;

    fn deref(&self) -> &Producer {
        &self.producer
    }
}

impl Drop for Polled {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::Relaxed);
        // It only fails where the thread panicked, which has been told.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

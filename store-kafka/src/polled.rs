//! A producer that is heard while it has nothing to do.

use crate::client::Producer;
use rdkafka::producer::Producer as _;
use std::{
    ops::Deref,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    thread::{self, JoinHandle},
    time::Duration,
};

/// How long the thread listens, or leaves it to whoever sends, before it looks whether it is still wanted.
const LISTENS: Duration = Duration::from_millis(50);

/// After so many records reports are heard, so that memory is used again while it is near.
const HEAR_RECORDS: u32 = 64;

/// A producer with a thread that hears what it reports while nobody else does. Tokens for OAUTHBEARER are asked for
/// this way only: a producer that nobody polls does not even begin, and one that idles past its token is thrown out.
pub(crate) struct Polled {
    producer: Arc<Producer>,
    heard: Arc<AtomicBool>,
    unheard: AtomicU32,
    ended: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Polled {
    /// # Errors
    /// When this machine makes no thread.
    pub(crate) fn new(producer: Producer) -> std::io::Result<Self> {
        let producer = Arc::new(producer);
        let (heard, ended) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicBool::new(false)));
        let (listening, by_others, over) = (producer.clone(), heard.clone(), ended.clone());
        let thread = thread::Builder::new().name("annals-kafka-hears".into()).spawn(move || {
            while !over.load(Ordering::Relaxed) {
                match by_others.swap(false, Ordering::Relaxed) {
                    true => thread::park_timeout(LISTENS),
                    false => listening.poll(LISTENS),
                }
            }
        })?;
        Ok(Self { producer, heard, unheard: AtomicU32::new(0), ended, thread: Some(thread) })
    }

    /// A record was handed over; now and then what is reported is heard.
    pub(crate) fn has_sent(&self) {
        if self.unheard.fetch_add(1, Ordering::Relaxed) + 1 >= HEAR_RECORDS {
            self.hear();
        }
    }

    /// Hears what is reported by now. Whoever hears of a record frees its memory, which is cheap for the thread that
    /// sent it only.
    pub(crate) fn hear(&self) {
        self.heard.store(true, Ordering::Relaxed);
        self.unheard.store(0, Ordering::Relaxed);
        // The client does not say whether there was a report; one that was heard is in flight no more.
        let mut before = self.producer.in_flight_count();
        loop {
            self.producer.poll(Duration::ZERO);
            match self.producer.in_flight_count() {
                now if now < before => before = now,
                _ => break,
            }
        }
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
        self.thread.iter().for_each(|thread| thread.thread().unpark());
        // It only fails where the thread panicked, which has been told.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

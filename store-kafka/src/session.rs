//! A producer of transactions, from its beginning to its first error.

#[cfg(test)]
mod tests;

use crate::{
    KafkaFailed, KafkaOptions,
    client::{Ends, Hearing, Producer, told},
    polled::Polled,
};
use rdkafka::{
    error::{KafkaError, RDKafkaErrorCode},
    message::OwnedHeaders,
    producer::{BaseRecord, Producer as _},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

/// How long the broker lets a transaction stand open before it takes it back.
pub const TRANSACTION_LASTS_MAX: Duration = Duration::from_secs(60);

/// How long one record may be on its way, repeats included: shorter than its transaction.
pub const DELIVERY_LASTS_MAX: Duration = Duration::from_secs(55);

/// How many records wait in the client, for the broker or to be heard of; whoever sends more waits. A tenth of a second
/// at full speed, so the client never runs dry, and memory stays as it is however long the log is.
pub const QUEUE_RECORDS_MAX: usize = 25_000;

/// How many bytes wait there at most: whatever is published, it takes no more memory than about twice that.
pub const QUEUE_BYTES_MAX: usize = 64 << 20;

/// How long a record waits in the client for others to go with it, the last of a transaction too: `arrived` asks without
/// waiting, and the client skips this only while it is waited for.
const LINGER: Duration = Duration::from_millis(1);

/// How often it is asked whether all records have arrived: the client tells nobody who does not ask it, and asking
/// without a pause takes a whole processor.
const LOOK_INTERVAL: Duration = Duration::from_micros(300);

/// How often it is asked why a session has not begun yet.
const BEGIN_LOOK_INTERVAL: Duration = Duration::from_millis(500);

/// How many bytes of one partition go in one batch, at most; fewer where a topic takes less.
pub(crate) const BATCH_BYTES_MAX: usize = 1 << 20;

/// The same where there is little to send, and topics are not asked what they take.
const PLAIN_BATCH_BYTES: usize = 64 << 10;

/// More than any record of ours: a payload of 1 MiB and all that goes with it. What a topic takes is checked before.
const RECORD_BYTES_MAX: usize = (1 << 20) + (256 << 10);

/// A record on its way.
pub(crate) struct Outgoing<'a> {
    pub(crate) topic: &'a str,
    pub(crate) partition: i32,
    pub(crate) key: &'a [u8],
    pub(crate) value: Option<&'a [u8]>,
    pub(crate) headers: Option<OwnedHeaders>,
}

/// A producer. After any error it is of no use: it is dropped, and another begins where the last committed transaction
/// ended. That is the only reaction, because no error tells whether a commit counts.
///
/// Its calls block: for a thread that may.
pub(crate) struct Session {
    producer: Polled,
    hearing: Hearing,
    options: KafkaOptions,
    given_up: Arc<AtomicBool>,
}

impl Session {
    /// Begins to produce transactions as `id`. Whoever did so before can commit no more. Not any more once it is
    /// `given_up`: that may be since another one has the lease.
    pub(crate) fn transactional(
        options: &KafkaOptions,
        id: &str,
        batch_bytes_max: usize,
        given_up: &AtomicBool,
    ) -> Result<Self, KafkaFailed> {
        let mut config = options.config();
        config
            .set("transactional.id", id)
            .set("transaction.timeout.ms", TRANSACTION_LASTS_MAX.as_millis().to_string());
        let session = Self::of(options, config, batch_bytes_max)?;
        let begun = Instant::now();
        while let Err(error) = session.producer.init_transactions(BEGIN_LOOK_INTERVAL) {
            let waits = matches!(&error, KafkaError::Transaction(error) if error.is_retriable());
            if let Some(hopeless) = session.hearing.hopeless() {
                return Err(session.failed("beginning to publish", hopeless));
            }
            if given_up.load(Ordering::Relaxed) {
                return Err(options.failed("beginning to publish", KafkaError::Canceled));
            }
            // It goes on where it was.
            if !waits || begun.elapsed() > TRANSACTION_LASTS_MAX {
                return Err(session.failed("beginning to publish", error));
            }
        }
        Ok(session)
    }

    /// Begins to produce without transactions; `ends` is where the topics end that are known so far.
    pub(crate) fn idempotent(
        options: &KafkaOptions,
        ends: Ends,
        batch_bytes_max: usize,
    ) -> Result<Self, KafkaFailed> {
        let mut config = options.config();
        // A record that fails takes those behind it with it: whoever looks what has arrived finds no hole.
        config.set("enable.gapless.guarantee", "true");
        let session = Self::of(options, config, batch_bytes_max)?;
        session.hearing.follow(ends);
        Ok(session)
    }

    /// What it hears.
    pub(crate) fn hearing(&self) -> &Hearing {
        &self.hearing
    }

    /// Begins to produce without transactions and without an order: what was sent counts when it has
    /// [arrived](Self::arrived).
    pub(crate) fn plain(options: &KafkaOptions) -> Result<Self, KafkaFailed> {
        Self::plain_to(options, PLAIN_BATCH_BYTES)
    }

    /// The same, to topics that take batches of so many bytes.
    pub(crate) fn plain_to(options: &KafkaOptions, batch_bytes_max: usize) -> Result<Self, KafkaFailed> {
        Self::of(options, options.config(), batch_bytes_max.min(PLAIN_BATCH_BYTES))
    }

    fn of(
        options: &KafkaOptions,
        mut config: rdkafka::ClientConfig,
        batch_bytes_max: usize,
    ) -> Result<Self, KafkaFailed> {
        config
            .set("enable.idempotence", "true")
            .set("acks", "all")
            .set("message.timeout.ms", DELIVERY_LASTS_MAX.as_millis().to_string())
            .set("queue.buffering.max.messages", QUEUE_RECORDS_MAX.to_string())
            .set("queue.buffering.max.kbytes", (QUEUE_BYTES_MAX >> 10).to_string())
            .set("linger.ms", LINGER.as_millis().to_string())
            .set("message.max.bytes", RECORD_BYTES_MAX.to_string())
            // The broker refuses a batch that is larger than its topic takes, whatever the size of its records.
            .set("batch.size", batch_bytes_max.min(BATCH_BYTES_MAX).to_string());
        let hearing = options.hearing();
        let made: Result<Producer, _> = config.create_with_context(hearing.clone());
        const DOING: &str = "connecting";
        let made = made.map_err(|error| options.failed(DOING, error))?;
        let producer = Polled::new(made).map_err(|error| options.threadless(DOING, &error))?;
        Ok(Self { producer, hearing, options: options.clone(), given_up: Arc::default() })
    }

    /// Set to give up what is under way: its outcome counts no more.
    pub(crate) fn given_up(&self) -> Arc<AtomicBool> {
        self.given_up.clone()
    }

    pub(crate) fn begin(&self) -> Result<(), KafkaFailed> {
        self.producer.begin_transaction().map_err(|error| self.failed("beginning a transaction", error))
    }

    /// Hands `record` over; waits while the queue is full.
    pub(crate) fn send(&self, record: Outgoing<'_>) -> Result<(), KafkaFailed> {
        let Outgoing { topic, partition, key, value, headers } = record;
        let mut record = BaseRecord::to(topic).partition(partition).key(key);
        record.payload = value;
        record.headers = headers;
        let mut begun = None;
        loop {
            // Whoever gave it up may begin another session at once, which looks what is there: no more comes.
            if self.given_up.load(Ordering::Relaxed) {
                return Err(self.options.failed("sending", KafkaError::Canceled));
            }
            match self.producer.send(record) {
                Ok(()) => break,
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), back)) => {
                    record = back;
                    self.look("sending", *begun.get_or_insert_with(Instant::now))?;
                }
                Err((error, _)) => return Err(self.failed("sending", error)),
            }
        }
        self.producer.has_sent();
        Ok(())
    }

    /// Waits until everything that was sent has arrived.
    pub(crate) fn arrived(&self) -> Result<(), KafkaFailed> {
        let begun = Instant::now();
        self.producer.hear();
        // Not one long flush: it answers up to a tenth of a second after the last record has arrived.
        while self.producer.flush(Duration::ZERO).is_err() {
            self.look("waiting for records to arrive", begun)?;
        }
        match self.hearing.undelivered() {
            None => Ok(()),
            Some(error) => Err(self.failed("delivering a record", error)),
        }
    }

    /// Makes everything sent since [`begin`](Self::begin) visible at once. An error says nothing about whether it is.
    pub(crate) fn commit(&self) -> Result<(), KafkaFailed> {
        self.arrived()?;
        let committed = self.producer.commit_transaction(TRANSACTION_LASTS_MAX);
        committed.map_err(|error| self.failed("committing a transaction", error))
    }

    /// Lets the client work for a moment, and hears what it has to say.
    fn look(&self, doing: &'static str, begun: Instant) -> Result<(), KafkaFailed> {
        if let Some(error) = self.hearing.undelivered() {
            return Err(self.failed("delivering a record", error));
        }
        if self.given_up.load(Ordering::Relaxed) {
            return Err(self.options.failed(doing, KafkaError::Canceled));
        }
        if begun.elapsed() > TRANSACTION_LASTS_MAX {
            let late = KafkaError::Flush(RDKafkaErrorCode::OperationTimedOut);
            return Err(self.failed(doing, late));
        }
        thread::sleep(LOOK_INTERVAL);
        self.producer.hear();
        Ok(())
    }

    fn failed(&self, doing: &'static str, error: KafkaError) -> KafkaFailed {
        // What the broker said of the whole producer says more than that it takes nothing.
        let fatal = self.producer.client().fatal_error().map(|(code, _)| KafkaError::Global(code));
        let error = fatal.unwrap_or_else(|| told(error, &self.hearing));
        self.options.failed_as(&self.hearing, doing, error)
    }
}

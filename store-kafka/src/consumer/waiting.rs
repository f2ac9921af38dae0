//! What waits for the task of one partition, and how much of it there may be.

use rdkafka::{Message, error::KafkaError, message::OwnedMessage};
use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    back::Back,
    terms::{WAITING_BYTES_MAX, WAITING_RECORDS_MAX},
};

/// What comes to the task of a partition.
pub(super) enum Fed {
    /// The next record.
    Record(OwnedMessage),
    /// What comes behind this comes from there, the beginning or an offset; or the way there failed.
    Rewound(Result<Back, KafkaError>),
}

/// How much waits.
#[derive(Default)]
struct Load {
    records: AtomicUsize,
    bytes: AtomicUsize,
}

/// The end that the reader feeds. The queue has no bound of its own: the reader stops fetching when it is
/// [full](Self::is_full).
pub(super) struct Feed {
    sender: UnboundedSender<Fed>,
    load: Arc<Load>,
}

/// The end that the task takes from.
pub(super) struct Waiting {
    receiver: UnboundedReceiver<Fed>,
    load: Arc<Load>,
}

pub(super) fn queue() -> (Feed, Waiting) {
    let (sender, receiver) = unbounded_channel();
    let load = Arc::<Load>::default();
    (Feed { sender, load: load.clone() }, Waiting { receiver, load })
}

impl Feed {
    /// False when the task is gone.
    pub(super) fn feed(&self, fed: Fed) -> bool {
        if let Fed::Record(record) = &fed {
            self.load.records.fetch_add(1, Ordering::Relaxed);
            self.load.bytes.fetch_add(bytes(record), Ordering::Relaxed);
        }
        self.sender.send(fed).is_ok()
    }

    /// Whether the task is gone.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.is_closed()
    }

    pub(super) fn is_full(&self) -> bool {
        self.is_over(WAITING_RECORDS_MAX, WAITING_BYTES_MAX)
    }

    pub(super) fn has_room(&self) -> bool {
        !self.is_over(WAITING_RECORDS_MAX / 2, WAITING_BYTES_MAX / 2)
    }

    fn is_over(&self, records: usize, bytes: usize) -> bool {
        self.load.records.load(Ordering::Relaxed) >= records
            || self.load.bytes.load(Ordering::Relaxed) >= bytes
    }
}

impl Waiting {
    /// The next; none when the reader is gone.
    pub(super) async fn next(&mut self) -> Option<Fed> {
        let fed = self.receiver.recv().await?;
        Some(self.taken(fed))
    }

    /// The next, if it is there already.
    pub(super) fn next_now(&mut self) -> Option<Fed> {
        let fed = self.receiver.try_recv().ok()?;
        Some(self.taken(fed))
    }

    fn taken(&self, fed: Fed) -> Fed {
        if let Fed::Record(record) = &fed {
            self.load.records.fetch_sub(1, Ordering::Relaxed);
            self.load.bytes.fetch_sub(bytes(record), Ordering::Relaxed);
        }
        fed
    }
}

fn bytes(record: &OwnedMessage) -> usize {
    record.payload().map_or(0, <[u8]>::len) + record.key().map_or(0, <[u8]>::len)
}

#[cfg(test)]
mod tests {
    use super::*;
    use rdkafka::Timestamp;

    fn record(bytes: usize) -> Fed {
        let value = Some(vec![0; bytes]);
        Fed::Record(OwnedMessage::new(value, None, "t".into(), Timestamp::NotAvailable, 0, 0, None))
    }

    #[tokio::test]
    async fn it_is_full_at_its_limits_and_has_room_at_half_of_them() {
        let (feed, mut waiting) = queue();
        for _ in 0..WAITING_RECORDS_MAX - 1 {
            assert!(feed.feed(record(1)) && !feed.is_full());
        }
        assert!(feed.feed(record(1)) && feed.is_full());
        for _ in 0..WAITING_RECORDS_MAX / 2 {
            assert!(!feed.has_room() && waiting.next().await.is_some());
        }
        assert!(!feed.is_full() && !feed.has_room());
        assert!(waiting.next_now().is_some() && feed.has_room());
        assert!(feed.feed(record(WAITING_BYTES_MAX)) && feed.is_full());
        assert!(!feed.is_closed());
        drop(waiting);
        assert!(feed.is_closed() && !feed.feed(record(1)));
    }
}

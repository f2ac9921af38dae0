//! A publisher at work: pages of the log become transactions. Blocks: for a thread that may.

use crate::{
    KafkaFailed, Oversize, PublishError, TRANSACTION_RECORDS_MAX,
    control::{CONTROL_PARTITION, Control},
    headers::HeaderWriter,
    partition_of,
    session::{Outgoing, Session},
    topic::Topic,
};
use annals::{Position, RecordedEvent};
use std::{
    collections::HashMap,
    sync::Arc,
    time::{Duration, Instant},
};

/// A transaction is ended when its first record is so old, however few there are: it keeps consumers from seeing them.
const TRANSACTION_FILLS_MAX: Duration = Duration::from_millis(50);

/// What a record takes beside key, value and headers: the frame of a batch of one, and its own.
const FRAME_BYTES: usize = 100;

/// A publisher at work, since its session began.
pub(crate) struct Running {
    pub(crate) name: Arc<str>,
    pub(crate) session: Session,
    pub(crate) control_topic: String,
    /// What is committed.
    pub(crate) control: Control,
    /// The topics of the categories met so far.
    pub(crate) topics: HashMap<String, Topic>,
    pub(crate) headers: HeaderWriter,
    pub(crate) oversize: Oversize,
}

impl Running {
    /// Publishes `events` and moves to `looked`, in as many transactions as it takes. After an error it is not known
    /// which of them count.
    pub(crate) fn publish(&mut self, events: &[RecordedEvent], looked: Position) -> Result<(), PublishError> {
        let mut rest = events.iter().peekable();
        loop {
            let mut next = self.control.clone();
            self.session.begin()?;
            let begun = Instant::now();
            for _ in 0..TRANSACTION_RECORDS_MAX {
                let Some(event) = rest.next() else { break };
                self.send(event, &mut next)?;
                next.position = event.position;
                if begun.elapsed() > TRANSACTION_FILLS_MAX {
                    break;
                }
            }
            if rest.peek().is_none() {
                next.position = looked;
            }
            self.send_control(&next)?;
            self.session.commit()?;
            self.control = next;
            if rest.peek().is_none() {
                return Ok(());
            }
        }
    }

    /// Moves to `position`, with nothing to publish.
    pub(crate) fn mark(&mut self, position: Position) -> Result<(), PublishError> {
        self.publish(&[], position)
    }

    fn send(&mut self, event: &RecordedEvent, next: &mut Control) -> Result<(), PublishError> {
        let category = event.stream.category();
        let Some(topic) = self.topics.get(category) else {
            // Every category of a page is looked up before.
            return Err(PublishError::Ended);
        };
        let key = key_of(event);
        let partition = partition_of(key.as_bytes(), topic.partitions);
        let last = next.last_of(&topic.name, topic.partitions, partition);
        let headers = self.headers.write(event, *last, false);
        let value = event.payload.as_str().as_bytes();
        let bytes = FRAME_BYTES + key.len() + value.len() + bytes_of(&headers);
        let (value, headers) = match (bytes > topic.record_bytes_max, self.oversize) {
            (false, _) => (Some(value), headers),
            (true, Oversize::Omit) => (None, self.headers.write(event, *last, true)),
            (true, Oversize::Stop) => {
                return Err(PublishError::Oversize {
                    stream: event.stream.clone(),
                    position: event.position,
                    topic: topic.name.clone(),
                    bytes,
                    max: topic.record_bytes_max,
                });
            }
        };
        let (topic, key) = (&*topic.name, key.as_bytes());
        let outgoing = Outgoing { topic, partition: partition as i32, key, value, headers: Some(headers) };
        self.session.send(outgoing)?;
        *last = event.position;
        Ok(())
    }

    fn send_control(&self, next: &Control) -> Result<(), KafkaFailed> {
        let value = next.text();
        self.session.send(Outgoing {
            topic: &self.control_topic,
            partition: CONTROL_PARTITION,
            key: self.name.as_bytes(),
            value: Some(value.as_bytes()),
            headers: None,
        })
    }
}

/// The key of the aggregate, with its tenant in front where there is one.
pub(crate) fn key_of(event: &RecordedEvent) -> String {
    match event.stream.tenant() {
        Some(tenant) => format!("{tenant}/{}", event.stream.key()),
        None => event.stream.key().into(),
    }
}

fn bytes_of(headers: &rdkafka::message::OwnedHeaders) -> usize {
    use rdkafka::message::Headers;
    headers.iter().map(|header| header.key.len() + header.value.map_or(0, <[u8]>::len) + 4).sum()
}

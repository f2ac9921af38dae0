//! A publisher at work: pages of the log become transactions. Blocks: for a thread that may.

use crate::{
    Delivery, KafkaFailed, KafkaOptions, Oversize, PublishError,
    client::{Ends, Hearing},
    control::{CONTROL_PARTITION, Control, Last},
    headers::HeaderWriter,
    partition_of,
    publisher::blocking,
    sent::{Sent, ends},
    session::{Outgoing, Session},
    size::{batch_of_one, may_take},
    topic::Topic,
    transaction::{More, Transaction, markers_wait},
};
use annals::{Position, RecordedEvent};
use rdkafka::consumer::BaseConsumer;
use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    sync::Arc,
    thread,
    time::Instant,
};

/// A publisher at work, since its session began.
pub(crate) struct Running {
    pub(crate) name: Arc<str>,
    pub(crate) session: Session,
    pub(crate) control_topic: String,
    /// What is committed.
    pub(crate) control: Control,
    /// What was sent and is not committed yet, because more follows at once.
    pub(crate) open: Option<Transaction>,
    /// When the last transaction was committed.
    pub(crate) ended: Option<Instant>,
    /// The topics of the categories met so far.
    pub(crate) topics: HashMap<String, Topic>,
    pub(crate) headers: HeaderWriter,
    pub(crate) oversize: Oversize,
    pub(crate) delivery: Delivery,
    /// Without transactions: what a session before this one had sent already, as the topics show.
    pub(crate) already: HashSet<Position>,
    /// What that session had written down. It stays so until all of `already` is behind: who looks only behind it would
    /// send that again.
    pub(crate) known: Sent,
}

impl Running {
    /// Publishes `events` and moves to `looked`, in as many transactions as it takes; where `more` follows at once, the
    /// last one may stay open. After an error it is not known which of them count.
    pub(crate) fn publish(
        &mut self,
        events: &[RecordedEvent],
        looked: Position,
        more: More,
    ) -> Result<(), PublishError> {
        if self.delivery == Delivery::AtLeastOnce {
            return self.publish_what_is_not_there(events, looked);
        }
        let mut open = self.opened()?;
        for event in events {
            if open.is_full(more) {
                self.end(open)?;
                open = self.opened()?;
            }
            match self.send(event, &mut open.next) {
                // What lies in front of it goes out all the same.
                Err(error @ PublishError::Oversize { .. }) => {
                    self.end(open)?;
                    return Err(error);
                }
                sent => sent?,
            }
            open.sent(event.position);
        }
        open.next.position = looked;
        match more {
            More::FarBehind if !open.is_due(more) => self.open = Some(open),
            _ => self.end(open)?,
        }
        Ok(())
    }

    /// The transaction that is open, or a new one.
    fn opened(&mut self) -> Result<Transaction, PublishError> {
        if let Some(open) = self.open.take() {
            return Ok(open);
        }
        // The broker tells nobody when it has written them.
        thread::sleep(markers_wait(self.ended));
        self.session.begin()?;
        Ok(Transaction::behind(&self.control))
    }

    /// Makes visible what is not yet. Nothing is left open.
    pub(crate) fn settle(&mut self) -> Result<(), PublishError> {
        self.open.take().map_or(Ok(()), |open| self.end(open))
    }

    fn end(&mut self, open: Transaction) -> Result<(), PublishError> {
        self.send_control(&open.next)?;
        self.session.commit()?;
        self.ended = Some(Instant::now());
        self.control = open.next;
        Ok(())
    }

    /// The same without transactions. They all go out before the first is waited for.
    fn publish_what_is_not_there(
        &mut self,
        events: &[RecordedEvent],
        looked: Position,
    ) -> Result<(), PublishError> {
        let mut next = self.control.clone();
        for event in events {
            if !self.already.contains(&event.position) {
                self.send(event, &mut next)?;
            }
        }
        self.session.arrived()?;
        self.already.retain(|position| *position > looked);
        next.position = looked;
        self.control = next;
        Ok(())
    }

    /// A topic that is met for the first time. Without transactions it must be known where it ended before.
    pub(crate) async fn begin_topic(
        &mut self,
        options: &KafkaOptions,
        reader: &Arc<BaseConsumer<Hearing>>,
        topic: &Topic,
    ) -> Result<(), PublishError> {
        if self.delivery != Delivery::AtLeastOnce || self.control.topics.contains_key(&topic.name) {
            return Ok(());
        }
        let (options, reader, name, count) =
            (options.clone(), reader.clone(), topic.name.clone(), topic.partitions);
        let ends = blocking(move || Ok(ends(&options, &reader, &name, count)?)).await?;
        self.known.begin(&topic.name, &ends);
        self.session.hearing().follow(Ends::from([(topic.name.clone(), ends)]));
        self.control.last_of(&topic.name, topic.partitions, 0);
        Ok(())
    }

    /// What a successor without transactions must know, when everything has arrived.
    pub(crate) fn sent(&self) -> Option<Sent> {
        let ends = self.session.hearing().ends()?;
        Some(match self.already.is_empty() {
            true => Sent::of(&self.control, &ends),
            false => self.known.clone(),
        })
    }

    /// Moves to `position`, with nothing to publish.
    pub(crate) fn mark(&mut self, position: Position) -> Result<(), PublishError> {
        self.publish(&[], position, More::Nothing)
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
        // Nearly all are so small that they need not be measured.
        let bytes = match may_take(event, self.headers.source_bytes()) {
            most if most <= topic.record_bytes_max => most,
            _ => batch_of_one(key.as_bytes(), value, &headers),
        };
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
        next.last = Some(Last::of(event));
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
pub(crate) fn key_of(event: &RecordedEvent) -> Cow<'_, str> {
    match event.stream.tenant() {
        Some(tenant) => Cow::Owned(format!("{tenant}/{}", event.stream.key())),
        None => Cow::Borrowed(event.stream.key()),
    }
}

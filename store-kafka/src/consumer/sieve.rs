//! What of the records in hand is handled. Pure.

use super::{
    Consumed, PartitionError, TopicConsumed, held::HeldRecord, partition::Partition, terms::PAGE_RECORDS_MAX,
};
use crate::{Chain, Incoming, Link, RecordError};
use annals::{LogFilter, RecordedEvent};
use rdkafka::Message;

/// What comes of the first of the records in hand, up to one that stops the partition.
pub(super) struct Sieved {
    /// The events that the handler takes.
    pub(super) page: Vec<RecordedEvent>,
    /// Behind the page.
    pub(super) chain: Chain,
    /// How many records this is.
    pub(super) records: usize,
    /// The offset behind them.
    pub(super) offset: Option<i64>,
    /// Whether one of them was handled already, or follows.
    pub(super) joins: bool,
    pub(super) counts: Counts,
    /// Why the record behind them stops the partition.
    pub(super) stopped: Option<Stopped>,
}

/// How many records were no events for the handler.
#[derive(Default, Clone, Copy)]
pub(super) struct Counts {
    skipped: u64,
    repeated: u64,
    foreign: u64,
}

/// A record that stops the partition.
pub(super) struct Stopped {
    offset: i64,
    why: Why,
}

enum Why {
    Foreign(RecordError),
    Linked(Link, Incoming),
    Omitted(Incoming),
}

/// Sieves at most a page of records behind `chain`. With `begins` the first of them need follow nothing. Where they are
/// `read_again`, those up to where the chain stands came only once, whatever it looks like.
pub(super) fn sieve<'a>(
    records: impl Iterator<Item = &'a HeldRecord>,
    chain: Chain,
    filter: &LogFilter,
    pass_foreign: bool,
    begins: bool,
    read_again: bool,
) -> Sieved {
    let handled = chain.last();
    let (page, counts) = (vec![], Counts::default());
    let mut sieved = Sieved { page, chain, records: 0, offset: None, joins: false, counts, stopped: None };
    let mut begins = begins;
    for held in records.take(PAGE_RECORDS_MAX) {
        let offset = held.raw.offset();
        match &held.read {
            Err(_) if pass_foreign => sieved.counts.foreign += 1,
            Err(error) => {
                sieved.stopped = Some(Stopped { offset, why: Why::Foreign(error.clone()) });
                break;
            }
            Ok(incoming) => {
                let mut chain = match std::mem::take(&mut begins) {
                    true => Chain::behind(incoming.previous),
                    false => sieved.chain,
                };
                let takes = filter.takes(&incoming.event);
                match chain.see(incoming) {
                    Link::Next if takes && incoming.omitted.is_some() => {
                        sieved.stopped = Some(Stopped { offset, why: Why::Omitted(incoming.clone()) });
                        break;
                    }
                    Link::Next if takes => sieved.page.push(incoming.event.clone()),
                    Link::Next => sieved.counts.skipped += 1,
                    Link::Repeated if read_again && incoming.event.position <= handled => {}
                    Link::Repeated => sieved.counts.repeated += 1,
                    link => {
                        sieved.stopped = Some(Stopped { offset, why: Why::Linked(link, incoming.clone()) });
                        break;
                    }
                }
                sieved.chain = chain;
                sieved.joins = true;
            }
        }
        sieved.records += 1;
        sieved.offset = Some(offset + 1);
    }
    sieved
}

impl Counts {
    /// Of so many records that are no events.
    pub(super) fn foreign(foreign: u64) -> Self {
        Self { foreign, ..Self::default() }
    }

    pub(super) fn add(&mut self, more: Self) {
        self.skipped += more.skipped;
        self.repeated += more.repeated;
        self.foreign += more.foreign;
    }

    /// Tells what there is, once.
    pub(super) fn tell(&mut self, subscriber: &str, topic: &str, consumed: &Consumed) {
        let counts = [
            ("annals_records_skipped", self.skipped),
            ("annals_records_repeated", self.repeated),
            ("annals_records_foreign", self.foreign),
        ];
        for (name, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            metrics::counter!(name, "subscriber" => subscriber.to_string(), "topic" => topic.to_string())
                .increment(count);
        }
        let Self { skipped, repeated, foreign } = std::mem::take(self);
        consumed.add(topic, TopicConsumed { skipped, repeated, foreign, ..TopicConsumed::default() });
    }
}

impl Stopped {
    /// Where the record lies.
    pub(super) fn offset(&self) -> i64 {
        self.offset
    }

    /// Why, in full.
    pub(super) fn error(&self, partition: &Partition, part: &str) -> PartitionError {
        let (topic, part) = (partition.topic.to_string(), format!("{part:?}"));
        let (partition, offset) = (partition.number, self.offset);
        match &self.why {
            Why::Foreign(error) => PartitionError::Foreign(error.clone()),
            Why::Omitted(Incoming { event, .. }) => PartitionError::Omitted {
                topic,
                partition,
                offset,
                part,
                stream: event.stream.clone(),
                position: event.position,
            },
            Why::Linked(Link::Forked { last, previous }, Incoming { event, .. }) => PartitionError::Forked {
                topic,
                partition,
                offset,
                part,
                last: *last,
                previous: *previous,
                position: event.position,
            },
            Why::Linked(link, incoming) => {
                let last = match link {
                    Link::Lost { last, .. } => *last,
                    _ => incoming.previous,
                };
                PartitionError::Lost { topic, partition, offset, part, last, previous: incoming.previous }
            }
        }
    }

    pub(super) fn count(&self, subscriber: &str, topic: &str) {
        let name = match &self.why {
            Why::Foreign(_) => "annals_records_foreign",
            Why::Omitted(_) => "annals_records_omitted",
            Why::Linked(Link::Forked { .. }, _) => "annals_records_forked",
            Why::Linked(..) => "annals_records_lost",
        };
        metrics::counter!(name, "subscriber" => subscriber.to_string(), "topic" => topic.to_string())
            .increment(1);
    }
}

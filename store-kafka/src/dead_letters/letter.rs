//! One dead letter: the record as it came, and what went wrong.

use crate::{Incoming, headers};
use annals::{Parked, RecordedEvent};
use rdkafka::{
    Message,
    message::{BorrowedMessage, Header, Headers, OwnedHeaders, OwnedMessage},
};

/// Where a record lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordPlace {
    /// The topic.
    pub topic: String,
    /// The partition.
    pub partition: i32,
    /// The offset.
    pub offset: i64,
}

/// An event in a dead-letter topic.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeadLetter {
    /// The projection that refused it, or refused one before it under the same key.
    pub subscriber: String,
    /// The key of the document.
    pub key: String,
    /// Why; empty for one that merely follows another.
    pub error: String,
    /// How often it was tried.
    pub attempts: u32,
    /// The topic that it came from.
    pub topic: String,
    /// Its partition there.
    pub partition: i32,
    /// Its offset there.
    pub offset: i64,
    /// The event.
    pub event: RecordedEvent,
    /// Set where its value is larger than the dead-letter topic takes: how many bytes it has. The event has none here,
    /// and [`DeadLetters::original`](crate::DeadLetters::original) looks for it.
    pub omitted: Option<u64>,
    /// Where this copy of it lies.
    pub copy: RecordPlace,
    /// All its headers in their order, those that begin with `dlt-` last; what is no UTF-8 is replaced.
    pub headers: Vec<(String, String)>,
}

impl DeadLetter {
    /// Where it came from.
    pub(super) fn origin(&self) -> RecordPlace {
        RecordPlace { topic: self.topic.clone(), partition: self.partition, offset: self.offset }
    }

    /// None where it is no dead letter of ours.
    pub(super) fn read(record: &BorrowedMessage<'_>) -> Option<Self> {
        let Incoming { event, omitted, .. } = Incoming::read(record).ok()?;
        let found = record.headers()?;
        let text = |name: &str| {
            let last = found.iter().filter(|header| header.key == name).last()?;
            Some(std::str::from_utf8(last.value?).ok()?.to_string())
        };
        Some(Self {
            subscriber: text(headers::DLT_SUBSCRIBER)?,
            key: text(headers::DLT_KEY)?,
            error: text(headers::DLT_ERROR)?,
            attempts: text(headers::DLT_ATTEMPTS)?.parse().ok()?,
            topic: text(headers::DLT_TOPIC)?,
            partition: text(headers::DLT_PARTITION)?.parse().ok()?,
            offset: text(headers::DLT_OFFSET)?.parse().ok()?,
            event,
            omitted,
            copy: RecordPlace {
                topic: record.topic().into(),
                partition: record.partition(),
                offset: record.offset(),
            },
            headers: found
                .iter()
                .filter_map(|header| Some((header.key.into(), String::from_utf8_lossy(header.value?).into())))
                .collect(),
        })
    }
}

/// The headers of `record`, and what went wrong behind them.
pub(super) fn headers(handler: &str, entry: &Parked, record: &OwnedMessage) -> OwnedHeaders {
    let ours = [
        (headers::DLT_SUBSCRIBER, handler.to_string()),
        (headers::DLT_KEY, entry.key.to_string()),
        (headers::DLT_ERROR, entry.error.clone()),
        (headers::DLT_ATTEMPTS, entry.attempts.to_string()),
        (headers::DLT_TOPIC, record.topic().to_string()),
        (headers::DLT_PARTITION, record.partition().to_string()),
        (headers::DLT_OFFSET, record.offset().to_string()),
    ];
    let original = record.headers().cloned().unwrap_or_default();
    ours.iter().fold(original, |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}

//! One record in a retry topic: the record that was refused, and who refused it.

use crate::{Incoming, RecordError, RecordProblem, headers};
use annals::{Parked, Position};
use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::{
    Message,
    message::{Header, Headers, OwnedHeaders, OwnedMessage},
};

/// What the headers of a copy begin with, behind those of the record.
const OURS: &str = "retry-";

/// A copy of a record.
pub(super) struct Copy {
    /// The part that refused it.
    pub(super) part: String,
    /// Where that part stands when it has decided.
    pub(super) decided_at: Position,
    /// When it is to be tried.
    pub(super) due: DateTime<Utc>,
    /// The record as it came from its own topic.
    pub(super) record: OwnedMessage,
    pub(super) event: annals::RecordedEvent,
}

impl Copy {
    pub(super) fn read(raw: &OwnedMessage) -> Result<Self, RecordError> {
        Self::parts(raw).map_err(|problem| RecordError {
            topic: raw.topic().into(),
            partition: raw.partition(),
            offset: raw.offset(),
            problem,
        })
    }

    fn parts(raw: &OwnedMessage) -> Result<Self, RecordProblem> {
        let due = DateTime::parse_from_rfc3339(text(raw, headers::RETRY_DUE)?);
        let due = due.map_err(|_| RecordProblem::Unreadable(headers::RETRY_DUE))?.to_utc();
        let record = OwnedMessage::new(
            raw.payload().map(<[u8]>::to_vec),
            raw.key().map(<[u8]>::to_vec),
            text(raw, headers::RETRY_TOPIC)?.into(),
            raw.timestamp(),
            parsed(raw, headers::RETRY_PARTITION)?,
            parsed(raw, headers::RETRY_OFFSET)?,
            raw.headers().map(without_ours),
        );
        Ok(Self {
            part: text(raw, headers::RETRY_PART)?.into(),
            decided_at: Position::new(parsed(raw, headers::RETRY_DECIDED_AT)?),
            due,
            event: Incoming::read(&record).map_err(|error| error.problem)?.event,
            record,
        })
    }
}

/// The headers of a copy of `record`, which `part` refused and which is to be tried when it is `due`.
pub(super) fn headers(
    record: &OwnedMessage,
    entry: &Parked,
    (part, decided_at): (&str, Position),
    due: DateTime<Utc>,
) -> OwnedHeaders {
    let ours = [
        (headers::RETRY_PART, part.to_string()),
        (headers::RETRY_DECIDED_AT, decided_at.to_string()),
        (headers::RETRY_DUE, due.to_rfc3339_opts(SecondsFormat::Millis, true)),
        (headers::RETRY_ERROR, entry.error.clone()),
        (headers::RETRY_ATTEMPTS, entry.attempts.to_string()),
        (headers::RETRY_TOPIC, record.topic().to_string()),
        (headers::RETRY_PARTITION, record.partition().to_string()),
        (headers::RETRY_OFFSET, record.offset().to_string()),
    ];
    let original = record.headers().cloned().unwrap_or_default();
    ours.iter().fold(original, |all, (key, value)| all.insert(Header { key, value: Some(value) }))
}

fn without_ours(all: &OwnedHeaders) -> OwnedHeaders {
    let others = all.iter().filter(|header| !header.key.starts_with(OURS));
    others.fold(OwnedHeaders::new(), OwnedHeaders::insert)
}

fn text<'a>(raw: &'a OwnedMessage, name: &'static str) -> Result<&'a str, RecordProblem> {
    let found = raw.headers().into_iter().flat_map(Headers::iter).filter(|header| header.key == name).last();
    let value = found.and_then(|header| header.value).ok_or(RecordProblem::Missing(name))?;
    std::str::from_utf8(value).map_err(|_| RecordProblem::Unreadable(name))
}

fn parsed<T: std::str::FromStr>(raw: &OwnedMessage, name: &'static str) -> Result<T, RecordProblem> {
    text(raw, name)?.parse().map_err(|_| RecordProblem::Unreadable(name))
}

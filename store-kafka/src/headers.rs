//! What a record says besides its value: the headers, all UTF-8 text.

use annals::{Json, Position, RecordedEvent};
use chrono::{DateTime, SecondsFormat, Utc};
use rdkafka::message::{Header, OwnedHeaders};
use serde::{Deserialize, de::IgnoredAny};
use std::borrow::Cow;
use uuid::Uuid;

/// The id of the event, a UUID.
pub const EVENT_ID: &str = "event-id";
/// Its type, unique within the category of its stream.
pub const EVENT_TYPE: &str = "event-type";
/// The schema version of the value, counted from 1.
pub const SCHEMA_VERSION: &str = "schema-version";
/// The stream, as in `acme/order-7f3c`.
pub const STREAM: &str = "stream";
/// Its place in the stream, counted from 1.
pub const STREAM_VERSION: &str = "stream-version";
/// Its place in the log.
pub const POSITION: &str = "position";
/// The position of the record that this publisher wrote to this partition before; 0 for the first one. A consumer that
/// remembers one number for each partition detects every loss, repeat and change of order, whatever was filtered.
pub const PREVIOUS_POSITION: &str = "previous-position";
/// When it was committed (RFC 3339, UTC, microseconds). The timestamp of the record itself is that of its publishing:
/// brokers delete by it.
pub const RECORDED_AT: &str = "recorded-at";
/// Shared by everything that one request set in motion. Of an event that has none of its own, the id of its command: that
/// is what its consequences share in the log that it comes from.
pub const CORRELATION_ID: &str = "correlation-id";
/// The event that led to the command behind this one.
pub const CAUSATION_ID: &str = "causation-id";
/// The tenant, where there is one.
pub const TENANT: &str = "tenant";
/// W3C trace context.
pub const TRACEPARENT: &str = "traceparent";
/// There in place of a value that was larger than the topic takes: how many bytes it has in the log.
pub const PAYLOAD_OMITTED: &str = "payload-omitted";

/// In a dead letter: the projection that refused the event.
pub const DLT_SUBSCRIBER: &str = "dlt-subscriber";
/// In a dead letter: the key of the document under which it is parked.
pub const DLT_KEY: &str = "dlt-key";
/// In a dead letter: why it was refused; empty for one that merely follows another under its key.
pub const DLT_ERROR: &str = "dlt-error";
/// In a dead letter: how often it was tried.
pub const DLT_ATTEMPTS: &str = "dlt-attempts";
/// In a dead letter: the topic that it came from.
pub const DLT_TOPIC: &str = "dlt-topic";
/// In a dead letter: its partition there.
pub const DLT_PARTITION: &str = "dlt-partition";
/// In a dead letter: its offset there.
pub const DLT_OFFSET: &str = "dlt-offset";

/// In a retry topic: the part that refused the event.
pub const RETRY_PART: &str = "retry-part";
/// In a retry topic: where that part stands when it has decided what becomes of the event.
pub const RETRY_DECIDED_AT: &str = "retry-decided-at";
/// In a retry topic: when it is tried again (RFC 3339, UTC, milliseconds).
pub const RETRY_DUE: &str = "retry-due";
/// In a retry topic: why it was refused.
pub const RETRY_ERROR: &str = "retry-error";
/// In a retry topic: how often it was tried.
pub const RETRY_ATTEMPTS: &str = "retry-attempts";
/// In a retry topic: the topic that it came from at first.
pub const RETRY_TOPIC: &str = "retry-topic";
/// In a retry topic: its partition there.
pub const RETRY_PARTITION: &str = "retry-partition";
/// In a retry topic: its offset there.
pub const RETRY_OFFSET: &str = "retry-offset";

/// Says in CloudEvents' words too (1.0, binary content mode) what a record is, under headers that begin with `ce_`.
#[derive(Debug, Clone)]
pub struct CloudEvents {
    /// The context in which the events happened, a URI reference: `ce_source`.
    pub source: String,
}

/// How many headers a record has at most, those for CloudEvents included.
const HEADERS_MAX: usize = 20;

/// Writes headers; keeps what one record after another needs.
#[derive(Debug, Default)]
pub(crate) struct HeaderWriter {
    time: Option<(DateTime<Utc>, String)>,
    cloud_events: Option<CloudEvents>,
}

/// What consumers need of the metadata. Metadata of another shape says nothing.
#[derive(Deserialize, Default)]
#[serde(default)]
struct Ids<'a> {
    #[serde(borrow)]
    correlation_id: Option<Cow<'a, str>>,
    #[serde(borrow)]
    causation_id: Option<Cow<'a, str>>,
    command_id: Option<CommandId>,
    #[serde(borrow)]
    traceparent: Option<Cow<'a, str>>,
}

/// The id of a command is a UUID; one of another kind says nothing, and leaves the others what they say.
#[derive(Deserialize)]
#[serde(untagged)]
enum CommandId {
    Known(Uuid),
    Other(IgnoredAny),
}

impl HeaderWriter {
    pub(crate) fn new(cloud_events: Option<CloudEvents>) -> Self {
        Self { cloud_events, ..Self::default() }
    }

    /// How long the source is that it names in the words of CloudEvents.
    pub(crate) fn source_bytes(&self) -> usize {
        self.cloud_events.as_ref().map_or(0, |events| events.source.len())
    }

    /// The headers of `event`, behind the record of `previous` in its partition; `omitted` where its value is left out.
    pub(crate) fn write(&mut self, event: &RecordedEvent, previous: Position, omitted: bool) -> OwnedHeaders {
        let (mut id, mut digits) = (Uuid::encode_buffer(), itoa::Buffer::new());
        let id = event.id.uuid().hyphenated().encode_lower(&mut id);
        let mut headers = OwnedHeaders::new_with_capacity(HEADERS_MAX)
            .insert(text(EVENT_ID, id))
            .insert(text(EVENT_TYPE, &event.event_type))
            .insert(text(STREAM, event.stream.as_str()));
        for (name, number) in [
            (SCHEMA_VERSION, u64::from(event.schema_version)),
            (STREAM_VERSION, event.version.get()),
            (POSITION, event.position.get()),
            (PREVIOUS_POSITION, previous.get()),
        ] {
            headers = headers.insert(text(name, digits.format(number)));
        }
        headers = headers.insert(text(RECORDED_AT, self.time(event.recorded_at)));
        if event.metadata != Json::empty() {
            let ids: Ids<'_> = serde_json::from_str(event.metadata.as_str()).unwrap_or_default();
            let of_command = match ids.command_id {
                Some(CommandId::Known(id)) => Some(id.hyphenated().to_string().into()),
                Some(CommandId::Other(_)) | None => None,
            };
            let known = [
                (CORRELATION_ID, ids.correlation_id.or(of_command)),
                (CAUSATION_ID, ids.causation_id),
                (TRACEPARENT, ids.traceparent),
            ];
            for (name, value) in known {
                if let Some(value) = value {
                    headers = headers.insert(text(name, &value));
                }
            }
        }
        if let Some(tenant) = event.stream.tenant() {
            headers = headers.insert(text(TENANT, tenant));
        }
        if omitted {
            headers = headers.insert(text(PAYLOAD_OMITTED, digits.format(event.payload.bytes())));
        }
        if let Some(CloudEvents { source }) = &self.cloud_events {
            headers = headers
                .insert(text("ce_specversion", "1.0"))
                .insert(text("ce_id", id))
                .insert(text("ce_source", source))
                .insert(text("ce_type", &event.event_type))
                .insert(text("ce_subject", event.stream.as_str()))
                .insert(text("content-type", "application/json"));
            headers = headers.insert(text("ce_time", self.time(event.recorded_at)));
        }
        headers
    }

    /// The events of a commit have one time.
    fn time(&mut self, at: DateTime<Utc>) -> &str {
        if self.time.as_ref().is_none_or(|(known, _)| *known != at) {
            self.time = Some((at, at.to_rfc3339_opts(SecondsFormat::Micros, true)));
        }
        self.time.as_ref().map_or("", |(_, text)| text)
    }
}

fn text<'a>(key: &'a str, value: &'a str) -> Header<'a, &'a str> {
    Header { key, value: Some(value) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use annals::{EventData, EventId, PlaceInCommit, Version};
    use rdkafka::message::Headers;

    /// The headers of an event with this metadata that say what it has to do with others.
    fn ids(metadata: &str) -> Vec<(String, String)> {
        let data = EventData::raw(EventId::random(), "Placed", 1, Json::empty());
        let data = data.with_metadata(Json::parse(metadata).unwrap());
        let (stream, place) = ("order-1".parse().unwrap(), PlaceInCommit { index: 0, size: 1 });
        let event = RecordedEvent::new(stream, Version::new(1), Position::new(1), place, Utc::now(), data);
        let headers = HeaderWriter::new(None).write(&event, Position::START, false);
        let said =
            headers.iter().filter(|header| [CORRELATION_ID, CAUSATION_ID, TRACEPARENT].contains(&header.key));
        let text = |value: Option<&[u8]>| String::from_utf8(value.unwrap().to_vec()).unwrap();
        said.map(|header| (header.key.to_string(), text(header.value))).collect()
    }

    /// How it was broken: with an id of a command that must be text, 7 leaves nothing of the others, and any text is
    /// told.
    #[test]
    fn an_id_of_a_command_that_is_none_leaves_the_others_what_they_say() {
        let said = [(CORRELATION_ID, "x"), (CAUSATION_ID, "y"), (TRACEPARENT, "z")];
        let said = said.map(|(name, value)| (name.to_string(), value.to_string()));
        for command in ["7", "null", "{\"a\":[1]}", "\"by hand\"", "\"0195d3a0-7bd2-7000-8000-000000000001\""]
        {
            let others = "\"correlation_id\":\"x\",\"causation_id\":\"y\",\"traceparent\":\"z\"";
            assert_eq!(ids(&format!("{{{others},\"command_id\":{command}}}")), said, "{command}");
        }
    }

    #[test]
    fn an_event_without_a_correlation_id_says_the_id_of_its_command_if_that_is_one() {
        let id = "0195d3a0-7bd2-7000-8000-000000000001";
        let of_command = vec![(CORRELATION_ID.to_string(), id.to_string())];
        assert_eq!(ids(&format!("{{\"command_id\":\"{id}\"}}")), of_command);
        for none in ["\"by hand\"", "7", "null", "true"] {
            assert_eq!(ids(&format!("{{\"command_id\":{none}}}")), []);
        }
    }
}

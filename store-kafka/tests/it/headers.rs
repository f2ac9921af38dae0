//! What a record says of its event, byte by byte, as a plain consumer finds it.

use crate::place::Place;
use annals::{
    Commit, EventData, EventId, EventStore, Expected, Json, LogFilter, PageLimit, Position, RecordedEvent,
    StreamId, catch_up,
};
use annals_kafka::{Incoming, partition_of};
use chrono::{DateTime, Utc};
use rdkafka::message::{Headers, Message, OwnedMessage};
use std::collections::BTreeMap;

/// White space, escapes and numbers that a library which reads and writes JSON would write otherwise.
const ODD: &str = " { \"b\" :\t1.50e+2 ,\n\"a\":\"\\u00e9\\/\\\\ \\ud83d\\ude00 é\" , \"n\":123456789012345678901234567890,\"b\" : [ ] }\r\n";

/// As the specification of W3C gives it.
const TRACEPARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

/// The headers of a record, none of them twice.
fn headers(record: &OwnedMessage) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for header in record.headers().unwrap().iter() {
        let text = std::str::from_utf8(header.value.unwrap()).unwrap();
        assert!(found.insert(header.key.to_string(), text.to_string()).is_none(), "{} twice", header.key);
    }
    found
}

/// Appends one event; as it was recorded.
async fn recorded(place: &Place, stream: &str, payload: &str, metadata: &str) -> RecordedEvent {
    let stream: StreamId = stream.parse().unwrap();
    let event = EventData::raw(EventId::random(), "Placed", 3, Json::parse(payload).unwrap());
    let event = event.with_metadata(Json::parse(metadata).unwrap());
    place.store.append(Commit::to(stream, Expected::Any, vec![event])).await.unwrap();
    let page = place.store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    page.events.last().unwrap().clone()
}

/// Broken on purpose, and seen to fail this: no correlation id, none of a first command, a time in milliseconds, a key without its tenant, a
/// payload that was read and written anew.
#[tokio::test(flavor = "multi_thread")]
async fn a_record_says_all_of_its_event_and_its_value_is_the_payload_byte_for_byte() {
    let Some(place) = Place::shared() else { return };
    let cause = EventId::random();
    let metadata = format!(
        "{{\"correlation_id\":\"c \\u00e9\\\"1\",\"causation_id\":\"{cause}\",\"actor\":\"somebody\",\"traceparent\":\"{TRACEPARENT}\"}}"
    );
    let first = recorded(&place, "acme/order-7-f/3c", ODD, &metadata).await;
    let plain = recorded(&place, "order-7", "{}", "{}").await;
    let strange = recorded(&place, "order-8", "{}", "{\"correlation_id\":7}").await;
    // A command that nothing set in motion is what its consequences have in common.
    let command = "0195d3a0-7bd2-7000-8000-000000000001";
    let root = recorded(&place, "order-9", "{}", &format!("{{\"command_id\":\"{command}\"}}")).await;
    let second = recorded(&place, "acme/order-7-f/3c", ODD, &metadata).await;
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let found: BTreeMap<Position, OwnedMessage> = place
        .records("order")
        .into_iter()
        .map(|record| (Incoming::read(&record).unwrap().event.position, record))
        .collect();
    assert_eq!(found.len(), 5);
    let says = |event: &RecordedEvent, previous: Position, more: &[(&str, String)]| {
        let all = [
            ("event-id", event.id.to_string()),
            ("event-type", "Placed".into()),
            ("schema-version", "3".into()),
            ("stream", event.stream.to_string()),
            ("stream-version", event.version.to_string()),
            ("position", event.position.to_string()),
            ("previous-position", previous.to_string()),
            ("recorded-at", event.recorded_at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()),
        ];
        let all = all.iter().chain(more);
        all.map(|(name, text)| (name.to_string(), text.clone())).collect::<BTreeMap<_, _>>()
    };
    let ids = [
        ("correlation-id", "c é\"1".to_string()),
        ("causation-id", cause.to_string()),
        ("traceparent", TRACEPARENT.into()),
        ("tenant", "acme".into()),
    ];
    let of_command = [("correlation-id", command.to_string())];
    let key = b"acme/7-f/3c";
    for (event, key, value, more) in [
        (&first, &key[..], ODD, &ids[..]),
        (&plain, b"7", "{}", &[]),
        // Metadata of another shape says nothing.
        (&strange, b"8", "{}", &[]),
        (&root, b"9", "{}", &of_command),
        (&second, key, ODD, &ids),
    ] {
        let record = &found[&event.position];
        let before = found.values().filter(|other| {
            (other.partition(), other.offset()) < (record.partition(), record.offset())
                && other.partition() == record.partition()
        });
        let before = before.map(|other| Incoming::read(other).unwrap().event.position).max();
        assert_eq!(headers(record), says(event, before.unwrap_or(Position::START), more));
        assert_eq!((record.key(), record.payload()), (Some(key), Some(value.as_bytes())));
        assert_eq!(record.partition(), partition_of(key, 4) as i32);
        let at: DateTime<Utc> = headers(record)["recorded-at"].parse().unwrap();
        let read = Incoming::read(record).unwrap().event;
        assert_eq!((at, read.recorded_at), (event.recorded_at, event.recorded_at));
        assert_eq!((read.id, &read.stream, &read.payload), (event.id, &event.stream, &event.payload));
        let (read, wrote) = (read.metadata(), event.metadata());
        let correlation = wrote.correlation_id.or(wrote.command_id.map(|id| id.to_string()));
        assert_eq!((read.correlation_id, read.causation_id), (correlation, wrote.causation_id));
    }
}

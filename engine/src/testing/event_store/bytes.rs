//! C8: what was written comes back as it was.

use super::{
    harness::EventStoreHarness,
    making::{append, append_to, json, stream},
    reading::{whole_log, whole_stream},
};
use crate::{
    Commit, EventData, EventId, Expected, Json, METADATA_BYTES_MAX, PAYLOAD_BYTES_MAX, RecordedEvent,
    testing::strategies,
};
use proptest::{
    collection::vec,
    strategy::{Strategy, ValueTree},
    test_runner::TestRunner,
};

/// JSON that a store changes when it parses it.
const TEXTS: [&str; 17] = [
    "{}",
    " {\t\"a\" :\n1 ,\r\n \"b\": [ ] } ",
    r#"{"b":1,"a":2,"b":3}"#,
    r#""\u0041\u00e9\ud83d\ude00\/\b\f\n\r\t\"\\""#,
    r#"{"nul":"\u0000","\\u0000":"\\u0000"}"#,
    "123456789012345678901234567890.000",
    r#"{"n":[1.0,1e2,1E+2,-0,-0.0,0.1000,1e400,18446744073709551616]}"#,
    "null",
    "true",
    "\"\"",
    "[]",
    "\"'; DROP TABLE log; --\"",
    "\"$1 ? %s {} :name\"",
    "\"مرحبا \u{202e}abc é e\u{301} 😀 \u{10ffff} \u{2028}\"",
    r#"{"":""," ":{"a":{"a":{"a":[[[[null]]]]}}}}"#,
    "{\"payload\":{\"type\":\"x\"},\"metadata\":null}",
    "\"\u{7f}\u{80}\u{feff}\"",
];

/// C8: payload and metadata come back byte for byte: white space, escapes, key order, repeated keys, big numbers.
pub async fn c8_payload_and_metadata_come_back_byte_for_byte<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    // A store may write to an empty log in another way.
    let (first, second) = (written(), written());
    append_to(store, &stream("order-a"), first.clone()).await;
    append_to(store, &stream("order-b"), second.clone()).await;
    assert_came_back(&whole_stream(store, &stream("order-a")).await, &first);
    assert_came_back(&whole_stream(store, &stream("order-b")).await, &second);
    assert_came_back(&whole_log(store).await, &[first, second].concat());
}

/// Events with all the texts, no two with the same metadata.
fn written() -> Vec<EventData> {
    let texts = TEXTS.iter().zip(TEXTS.iter().rev()).zip(1..);
    let event = |((payload, metadata), version): ((&&str, &&str), u32)| {
        EventData::raw(EventId::random(), "Written", version, json(payload)).with_metadata(json(metadata))
    };
    texts.map(event).collect()
}

fn assert_came_back(read: &[RecordedEvent], wrote: &[EventData]) {
    assert_eq!(read.len(), wrote.len());
    for (got, wrote) in read.iter().zip(wrote) {
        assert_eq!(
            (got.payload.as_str(), got.metadata.as_str()),
            (wrote.payload.as_str(), wrote.metadata.as_str())
        );
        assert_eq!((got.id, got.schema_version), (wrote.id, wrote.schema_version));
        assert_eq!(got.event_type, wrote.event_type);
    }
}

/// C8: the largest payload and the largest metadata come back byte for byte, as does the largest schema version.
pub async fn c8_the_largest_event_comes_back_byte_for_byte<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let a = stream("order-a");
    let text = |bytes: usize| Json::stored(format!("\"{}é\"", "x".repeat(bytes - 4)));
    let (payload, metadata) = (text(PAYLOAD_BYTES_MAX), text(METADATA_BYTES_MAX));
    assert_eq!((payload.bytes(), metadata.bytes()), (PAYLOAD_BYTES_MAX, METADATA_BYTES_MAX));
    let event = EventData::raw(EventId::random(), "Large", i32::MAX as u32, payload.clone());
    append_to(store, &a, vec![event.with_metadata(metadata.clone())]).await;
    let read = whole_stream(store, &a).await;
    assert!(read[0].payload == payload && read[0].metadata == metadata, "a large event comes back changed");
    assert_eq!(read[0].schema_version, i32::MAX as u32);
}

/// C8: whatever the names, types, payloads and metadata are, an event comes back as it was.
pub async fn c8_any_event_comes_back_as_it_was<H: EventStoreHarness>() {
    const COMMITS: usize = 100;
    let harness = H::open().await;
    let store = &*harness.store();
    // The same random events on every run: a store that fails one fails it again.
    let mut random = TestRunner::deterministic();
    let mut written = Vec::new();
    for _ in 0..COMMITS {
        let commit = (strategies::stream(), vec(strategies::event(), 1..5)).new_tree(&mut random);
        let (stream, events) = commit.expect("there are such events").current();
        append(store, Commit::to(stream.clone(), Expected::Any, events.clone())).await;
        written.extend(events.into_iter().map(|event| (stream.clone(), event)));
    }
    let log = whole_log(store).await;
    assert_eq!(log.len(), written.len());
    for (read, (stream, event)) in log.iter().zip(&written) {
        assert_eq!((&read.stream, read.id, &read.event_type), (stream, event.id, &event.event_type));
        assert_eq!(read.schema_version, event.schema_version);
        assert_eq!((&read.payload, &read.metadata), (&event.payload, &event.metadata));
    }
}

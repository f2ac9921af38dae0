//! C8 for names: hostile ones are kept exactly, and never mixed up.

use super::{
    harness::EventStoreHarness,
    making::{append_to, event_of, events},
    reading::{read, whole_log, whole_log_in, whole_stream},
};
use crate::{
    EVENT_TYPE_BYTES_MAX, KEY_BYTES_MAX, LogFilter, NAME_BYTES_MAX, PageLimit, Source, StreamFilter, StreamId,
};

/// Keys that a store may trip over: each is a stream of its own.
pub(crate) fn hostile_keys() -> Vec<String> {
    let mut keys: Vec<String> = [
        "a",
        "A",
        "'",
        "''",
        "\"",
        "`",
        "\\",
        "\\\\",
        "%",
        "_",
        "a%",
        "a_",
        "*",
        "?",
        ";--",
        "'; DROP TABLE log; --",
        "-",
        "--",
        "a-b",
        "/",
        "a/b",
        "..",
        ".",
        " ",
        "a ",
        " a",
        "\t",
        "\n",
        "a\r\n",
        "$1",
        "?1",
        ":a",
        "@a",
        "{}",
        "null",
        "0",
        "00",
        "1",
        "-1",
        "1e3",
        "NaN",
        "é",
        "e\u{301}",
        "ß",
        "ss",
        "İ",
        "i",
        "ﬁ",
        "fi",
        "مرحبا",
        "שלום",
        "\u{202e}abc",
        "\u{200b}",
        "\u{feff}",
        "😀",
        "𝒳",
        "\u{10ffff}",
        "\u{ffff}",
        "\u{7f}",
        "\u{1}",
        "日本語",
        "\u{e000}",
    ]
    .map(String::from)
    .into();
    keys.push("k".repeat(KEY_BYTES_MAX));
    keys.push("k".repeat(KEY_BYTES_MAX - 1));
    keys.push("😀".repeat(KEY_BYTES_MAX / 4));
    keys
}

/// C8: hostile keys are kept exactly; each names a stream of its own, in every tenant and category.
pub async fn c8_hostile_names_are_kept_exactly_and_apart<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let longest = "n".repeat(NAME_BYTES_MAX);
    let mut streams = Vec::new();
    for key in hostile_keys() {
        streams.push(StreamId::new("order", &key).expect("a name"));
        streams.push(StreamId::of(Some("acme"), "order", &key).expect("a name"));
        streams.push(StreamId::of(Some(&longest), &longest, &key).expect("a name"));
    }
    for (i, stream) in streams.iter().enumerate() {
        append_to(store, stream, events(1 + i as u64 % 3)).await;
    }
    let log = whole_log(store).await;
    let mut rest = &log[..];
    for (i, stream) in streams.iter().enumerate() {
        let read = whole_stream(store, stream).await;
        assert_eq!(read.len(), 1 + i % 3, "events in {stream:?}");
        let (in_log, behind) = rest.split_at(read.len());
        for (a, b) in read.iter().zip(in_log) {
            assert_eq!((&a.stream, a.id), (stream, b.id));
            assert_eq!(&b.stream, stream);
        }
        rest = behind;
    }
    let listed = read(store.streams(&StreamFilter::all(), None, PageLimit::MAX).await);
    streams.sort();
    assert_eq!(listed.into_iter().map(|info| info.stream).collect::<Vec<_>>(), streams);
}

/// C8: hostile event types are kept exactly, and found by their name only.
pub async fn c8_hostile_event_types_are_kept_exactly_and_apart<H: EventStoreHarness>() {
    let harness = H::open().await;
    let store = &*harness.store();
    let stream = StreamId::new("order", "1").expect("a name");
    let types: Vec<_> = hostile_keys().into_iter().chain(["t".repeat(EVENT_TYPE_BYTES_MAX)]).collect();
    append_to(store, &stream, types.iter().map(|name| event_of(name)).collect()).await;
    let read: Vec<_> = whole_stream(store, &stream).await.iter().map(|e| e.event_type.to_string()).collect();
    assert_eq!(read, types);
    for name in &types {
        let only = LogFilter::any_of([Source::all().types([name.clone()])]);
        let found = whole_log_in(store, PageLimit::DEFAULT, &only).await;
        let same = types.iter().filter(|other| *other == name).count();
        assert_eq!(found.len(), same, "events of type {name:?}");
    }
}

//! A check finds what is wrong with a log.

use crate::shop::{Shop, stream, to};
use annals::{Commit, EventStore, Expected, PageLimit, VersionRange};
use annals_sqlite::{LIBRARY_VERSION_MIN, SqliteOptions, SqliteStore, Synchronous};
use std::sync::{Arc, Mutex};

/// A log of five events in two streams, with `damage` done to it.
async fn problems_after(damage: &str) -> Vec<String> {
    let shop = Shop::new();
    let store = shop.store();
    store.append(to("order-1", Expected::NEW, 3)).await.unwrap();
    let two = Commit::to(stream("order-2"), Expected::NEW, crate::shop::events(1));
    store.append(two.and(stream("order-1"), Expected::Any, crate::shop::events(1))).await.unwrap();
    let raw = shop.raw();
    raw.execute_batch("PRAGMA foreign_keys = off; DROP TRIGGER log_update; DROP TRIGGER log_delete").unwrap();
    raw.execute_batch("DROP TRIGGER log_insert; DROP TRIGGER streams_update; DROP TRIGGER types_delete")
        .unwrap();
    raw.execute_batch(damage).unwrap();
    let checked = store.check(|_, _| {}).await.unwrap();
    assert_eq!(checked.problems_found as usize, checked.problems.len());
    checked.problems.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn a_check_names_each_kind_of_damage() {
    assert_eq!(problems_after("").await, <[String; 0]>::default());
    for (damage, found) in [
        ("DELETE FROM log WHERE position = 3", "position 4 follows 2"),
        (
            "DELETE FROM log WHERE position = 2",
            "order-1 has version 3 at position 3, where version 2 was due",
        ),
        ("DELETE FROM log WHERE position = 5", "place 0 of a commit of 2, where place 1 was due"),
        ("UPDATE log SET commit_size = 2 WHERE position = 2", "place 1 of a commit of 2, where place"),
        ("UPDATE log SET recorded_at = 7 WHERE position = 4", "position 4 was recorded before"),
        ("UPDATE log SET version = 9 WHERE position = 5", "order-1 has version 9 at position 5"),
        ("UPDATE log SET position = 9 WHERE position = 1", "order-1 has no first event at position 1"),
        ("UPDATE streams SET name = 'none' WHERE id = 1", "\"none\" is no name of a stream"),
        ("DELETE FROM types", "row 1 of log names something that types lacks"),
    ] {
        let problems = problems_after(damage).await;
        assert!(problems.iter().any(|problem| problem.contains(found)), "{damage}: {problems:#?}");
    }
}

#[tokio::test]
async fn a_check_tells_how_far_it_came() {
    let shop = Shop::new();
    let store = shop.store();
    for _ in 0..12 {
        store.append(to("stock-hat", Expected::Any, 1_000)).await.unwrap();
    }
    let told = Arc::new(Mutex::new(vec![]));
    let progress = told.clone();
    let checked = store.check(move |walked, of| progress.lock().unwrap().push((walked, of))).await.unwrap();
    assert_eq!((checked.events, checked.streams, checked.problems), (12_000, 1, vec![]));
    assert_eq!(*told.lock().unwrap(), [(10_000, 24_000), (20_000, 24_000), (24_000, 24_000)]);
}

#[tokio::test]
async fn settings_are_what_was_promised() {
    let shop = Shop::new();
    for synchronous in [Synchronous::Full, Synchronous::Normal] {
        let options = SqliteOptions::new(shop.path()).synchronous(synchronous);
        let settings = SqliteStore::open(&options).unwrap().settings().await.unwrap();
        assert_eq!(
            (settings.journal_mode.as_str(), settings.synchronous),
            ("wal", &*synchronous.to_string())
        );
        assert_eq!((settings.path, settings.layout), (shop.path(), 1));
        assert!(settings.pages > 0 && settings.page_bytes >= 512);
        let number = |version: &str| -> Vec<u32> { version.split('.').map(|n| n.parse().unwrap()).collect() };
        assert!(number(settings.library) >= number(LIBRARY_VERSION_MIN));
    }
}

/// Read as 1970, as it was, the event would be older than all before it.
#[tokio::test]
async fn a_time_that_is_none_is_an_error() {
    let shop = Shop::new();
    let store = shop.store();
    store.append(to("order-1", Expected::NEW, 3)).await.unwrap();
    let spoil =
        format!("DROP TRIGGER log_update; UPDATE log SET recorded_at = {} WHERE position = 2", i64::MAX);
    shop.raw().execute_batch(&spoil).unwrap();
    let read = store.read(&stream("order-1"), VersionRange::ALL, PageLimit::DEFAULT).await;
    let told = annals::error_text(&read.unwrap_err());
    assert!(told.contains("9223372036854775807 microseconds are no time"), "{told}");
}

//! One page: all of it or nothing, once.

use super::*;
use annals::{
    CheckpointError, DOCUMENT_BYTES_MAX, DOCUMENT_KEY_BYTES_MAX, Parked, ParkedAction, ParkedRequest,
};

fn parked(key: &str, position: u64, error: &str, attempts: u32) -> Parked {
    Parked {
        key: key.into(),
        position: Position::new(position),
        stream: "acme/order-7f3c".parse().unwrap(),
        version: annals::Version::new(position),
        error: error.into(),
        attempts,
        parked_at: chrono::DateTime::from_timestamp_micros(1_700_000_000_123_456).unwrap(),
    }
}

/// Broken on purpose by leaving the comparison of the checkpoint out of `page::commit`.
#[tokio::test]
async fn a_page_that_is_delivered_twice_counts_once() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    store.commit(&step(&lease, 0, 5), puts([("a", "1")])).await.unwrap();
    let again = store.commit(&step(&lease, 0, 5), puts([("a", "2")])).await;
    assert!(
        matches!(again, Err(CheckpointError::Moved { expected, actual, .. }) if expected.get() == 0 && actual.get() == 5)
    );
    let slots = store.load(&lease.subscriber, &["b".into(), "a".into()]).await.unwrap();
    assert!(slots[0].document.is_none());
    assert_eq!(slots[1].document.as_ref().unwrap().as_str(), "1");
}

#[tokio::test]
async fn keys_are_ordered_by_their_bytes_and_hostile_ones_come_back_as_they_were() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let longest = "k".repeat(DOCUMENT_KEY_BYTES_MAX);
    let mut hostile = [
        "",
        "'; DROP TABLE documents --",
        "Z",
        "a",
        "\u{202e}right to left",
        "é",
        "🦀",
        "\u{ffff}",
        " ",
        &longest,
    ];
    store.commit(&step(&lease, 0, 1), puts(hostile.map(|key| (key, "{}")))).await.unwrap();
    hostile.sort_unstable();
    assert_eq!(keys(&store, &lease.subscriber).await, hostile);

    let mut after: Option<Arc<str>> = None;
    for key in hostile {
        let page = store.documents(&lease.subscriber, after.as_deref(), PageLimit::ONE).await.unwrap();
        assert_eq!(&*page[0].0, key);
        after = Some(page[0].0.clone());
    }
    assert!(store.documents(&lease.subscriber, after.as_deref(), PageLimit::ONE).await.unwrap().is_empty());
}

#[tokio::test]
async fn what_no_store_takes_is_refused_and_the_whole_page_with_it() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let largest = format!("\"{}\"", "x".repeat(DOCUMENT_BYTES_MAX - 2));
    let refused = [
        ("k".repeat(DOCUMENT_KEY_BYTES_MAX + 1), "1".to_string()),
        ("k".into(), largest.replacen('x', "xx", 1)),
        ("nul\0key".into(), "1".into()),
        ("nul".into(), r#""\\\u0000""#.into()),
    ];
    for (key, body) in refused {
        let answer = store
            .commit(&step(&lease, 0, 1), puts([("good".to_string(), "1".to_string()), (key, body)]))
            .await;
        assert!(
            matches!(answer, Err(CheckpointError::TooLarge { .. } | CheckpointError::Nul { .. })),
            "{answer:?}"
        );
    }
    assert!(keys(&store, &lease.subscriber).await.is_empty());
    assert_eq!(checkpoint(&store, &lease.subscriber).await, 0);

    let taken = [("large", largest.as_str()), ("no nul", r#""\\u0000""#)];
    store.commit(&step(&lease, 0, 1), puts(taken)).await.unwrap();
    assert_eq!(keys(&store, &lease.subscriber).await, ["large", "no nul"]);
}

#[tokio::test]
async fn parked_events_come_back_in_order_and_whole() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let of = &lease.subscriber;
    let all = vec![parked("a", 4, "refused", 3), parked("a", 9, "", 0), parked("b", 2, "also", 1)];
    let page = PageWrite { park: all.iter().rev().cloned().collect(), ..PageWrite::default() };
    store.commit(&step(&lease, 0, 9), page).await.unwrap();

    assert_eq!(store.parked(of, None, None, PageLimit::MAX).await.unwrap(), all);
    assert_eq!(store.parked(of, Some("a"), None, PageLimit::MAX).await.unwrap(), all[..2]);
    let after = Some(("a", Position::new(4)));
    assert_eq!(store.parked(of, None, after, PageLimit::MAX).await.unwrap(), all[1..]);
    assert_eq!(store.parked(of, None, after, PageLimit::ONE).await.unwrap(), all[1..2]);
    assert_eq!(store.parked(of, Some("b"), after, PageLimit::MAX).await.unwrap(), all[2..]);
    assert!(
        store.parked(of, Some("a"), Some(("b", Position::START)), PageLimit::MAX).await.unwrap().is_empty()
    );
    let slots = store.load(of, &["a".into(), "c".into()]).await.unwrap();
    assert_eq!([slots[0].parked, slots[1].parked], [true, false]);
    assert_eq!(store.subscribers().await.unwrap()[0].parked, 3);
}

#[tokio::test]
async fn a_request_goes_when_it_was_carried_out_with_or_without_success() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let of = &lease.subscriber;
    let page = PageWrite { park: vec![parked("a", 4, "refused", 1)], ..PageWrite::default() };
    store.commit(&step(&lease, 0, 9), page).await.unwrap();
    let ask = |action| ParkedRequest { key: "a".into(), action };
    let nothing_there = ParkedRequest { key: "c".into(), action: ParkedAction::Retry };
    assert!(!store.request(of, &nothing_there).await.unwrap());

    assert!(store.request(of, &ask(ParkedAction::Discard)).await.unwrap());
    assert!(store.request(of, &ask(ParkedAction::Retry)).await.unwrap());
    assert_eq!(store.requests(of, PageLimit::MAX).await.unwrap(), [ask(ParkedAction::Retry)]);
    // Another event of the key is no answer, the same one tried again is.
    let follows = PageWrite { park: vec![parked("a", 10, "", 0)], ..PageWrite::default() };
    store.commit(&step(&lease, 9, 10), follows).await.unwrap();
    assert_eq!(store.requests(of, PageLimit::MAX).await.unwrap().len(), 1);
    let in_vain = PageWrite { park: vec![parked("a", 4, "refused again", 2)], ..PageWrite::default() };
    store.commit(&step(&lease, 10, 10), in_vain).await.unwrap();
    assert!(store.requests(of, PageLimit::MAX).await.unwrap().is_empty());
    assert_eq!(store.parked(of, None, None, PageLimit::ONE).await.unwrap()[0].error, "refused again");

    assert!(store.request(of, &ask(ParkedAction::Discard)).await.unwrap());
    let settled = vec![("a".into(), Position::new(4)), ("a".into(), Position::new(10))];
    store.commit(&step(&lease, 10, 10), PageWrite { settled, ..PageWrite::default() }).await.unwrap();
    assert!(store.requests(of, PageLimit::MAX).await.unwrap().is_empty());
    assert!(!store.request(of, &ask(ParkedAction::Retry)).await.unwrap());
}

/// Read as 1970, or left out, as it was, nobody would see that the row is damaged.
#[tokio::test]
async fn a_time_that_is_none_is_an_error() {
    let file = File::new();
    let store = file.open();
    let lease = held(&store, "orders").await;
    let park = vec![parked("hat", 1, "13 is refused", 1)];
    store.commit(&step(&lease, 0, 1), PageWrite { park, ..PageWrite::default() }).await.unwrap();
    store.report(&lease.subscriber, Some("it failed")).await.unwrap();
    let spoil =
        format!("UPDATE parked SET parked_at_us = {0}; UPDATE generations SET failed_at_us = {0}", i64::MAX);
    file.raw().execute_batch(&spoil).unwrap();
    store.parked(&lease.subscriber, None, None, PageLimit::ONE).await.unwrap_err();
    store.subscribers().await.unwrap_err();
}

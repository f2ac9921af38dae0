//! Comparing two generations.

use super::{
    harness::DocumentStoreHarness,
    runner::{ORDERS, Runner, done, page, refused},
};
use crate::{COMPARISON_EXAMPLES_MAX, CompareError, Comparison, PageLimit, Position};

async fn two<H: DocumentStoreHarness>(harness: &H) -> (Runner, Runner) {
    let live = Runner::live(harness.store()).await;
    let id = done(harness.store().start_rebuild(ORDERS, 1).await);
    (live, Runner::of(harness.store(), &id).await)
}

async fn compared(old: &Runner, new: &Runner) -> Comparison {
    done(old.store.compare(old.id(), new.id()).await)
}

/// Documents that mean the same JSON are the same, whatever their text; others are told apart.
pub async fn documents_are_compared_by_json_value<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut old, mut new) = two(&harness).await;
    let same = [
        (r#"{"a":1,"b":[2,"é"]}"#, r#"{ "b" : [2.0, "\u00e9"], "a" : 1e0 }"#),
        ("100", "1E+2"),
        ("0", "-0.0"),
        (r#"{"a":{"x":1,"y":2}}"#, r#"{"a":{"y":2,"x":1}}"#),
        ("\"/\"", r#""\/""#),
    ];
    let other = [
        ("9007199254740993", "9007199254740992"),
        ("1", "\"1\""),
        ("[1,2]", "[2,1]"),
        ("{}", "[]"),
        (r#"{"a":null}"#, "{}"),
        ("\"a\"", "\"A\""),
        ("\"é\"", "\"e\u{301}\""),
        ("null", "false"),
        ("[[1]]", "[[1],[]]"),
    ];
    let keys: Vec<String> = (0..same.len() + other.len()).map(|i| format!("key {i:02}")).collect();
    let pairs: Vec<_> = keys.iter().zip(same.iter().chain(&other)).collect();
    old.write(5, page(pairs.iter().map(|(key, (text, _))| (key.as_str(), Some(*text))))).await;
    new.write(5, page(pairs.iter().map(|(key, (_, text))| (key.as_str(), Some(*text))))).await;
    let found = compared(&old, &new).await;
    assert_eq!(found.examples, keys[same.len()..], "the documents that differ, and no others");
    let counts = (found.position.get(), found.documents, found.changed, found.missing, found.extra);
    assert_eq!(counts, (5, keys.len() as u64, other.len() as u64, 0, 0));
}

/// What is changed, missing and extra is counted, and the first few keys are named.
pub async fn a_comparison_counts_what_is_changed_missing_and_extra<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut old, mut new) = two(&harness).await;
    assert_eq!(compared(&old, &new).await, Comparison::default(), "two empty generations are the same");
    let keys: Vec<String> = (0..60).map(|i| format!("key {i:02}")).collect();
    let docs = |from: usize, to: usize| keys[from..to].iter().map(|key| (key.as_str(), Some("1")));
    old.write(9, page(docs(0, 40))).await;
    new.write(9, page(docs(10, 60))).await;
    new.write(9, page(docs(12, 15).map(|(key, _)| (key, Some("2"))))).await;
    let found = compared(&old, &new).await;
    assert_eq!((found.documents, found.changed, found.missing, found.extra), (60, 3, 10, 20));
    assert_eq!((found.position, found.differences()), (Position::new(9), 33));
    assert_eq!(found.examples.len(), COMPARISON_EXAMPLES_MAX);
    assert!(found.examples.iter().all(|key| keys.contains(key)), "{:?}", found.examples);
    let back = compared(&new, &old).await;
    assert_eq!((back.documents, back.changed, back.missing, back.extra), (60, 3, 20, 10));
    assert_eq!(compared(&old, &old).await.differences(), 0);
}

/// Generations at different positions are not compared.
pub async fn generations_apart_are_not_compared<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut old, mut new) = two(&harness).await;
    old.write(5, page([("a", Some("1"))])).await;
    new.write(4, page([("a", Some("1"))])).await;
    match refused(old.store.compare(old.id(), new.id()).await) {
        CompareError::Apart { old, new } => assert_eq!((old.get(), new.get()), (5, 4)),
        other => panic!("expected them to stand apart, got {other:?}"),
    }
    new.write(5, page([])).await;
    assert_eq!(compared(&old, &new).await.differences(), 0);
}

/// A generation that was replaced is compared with nothing, as it is deleted sooner or later: what is left of it would
/// look like a difference.
pub async fn what_was_replaced_is_not_compared<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut old, mut new) = two(&harness).await;
    old.write(5, page([("a", Some("1"))])).await;
    new.write(5, page([("a", Some("1"))])).await;
    assert_eq!(compared(&old, &new).await.differences(), 0);
    done(new.store.switch(new.id()).await);
    for _ in 0..2 {
        for (one, other) in [(&old, &new), (&new, &old)] {
            match refused(one.store.compare(one.id(), other.id()).await) {
                CompareError::Replaced { subscriber } => assert_eq!(subscriber, *old.id()),
                other => panic!("expected {} to be replaced, got {other:?}", old.id()),
            }
        }
        while !done(old.store.purge(old.id(), PageLimit::MAX).await) {}
    }
}

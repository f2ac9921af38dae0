//! What no store of documents takes, and that a refused page leaves nothing.

use super::{
    harness::DocumentStoreHarness,
    runner::{Runner, done, page, parked, put, refused, these},
};
use crate::{Change, CheckpointError, DOCUMENT_BYTES_MAX, DOCUMENT_KEY_BYTES_MAX, Json, PageWrite};
use std::sync::Arc;

/// A page with something of everything besides the documents given.
fn page_with(changes: Vec<(Arc<str>, Change)>) -> PageWrite {
    let mut page = page([("first", Some("1")), ("kept", Some("2")), ("gone", None)]);
    page.changes.extend(changes);
    page.park = vec![parked("parked", 3)];
    page.settled = vec![("settled".into(), parked("settled", 1).position)];
    page
}

/// A runner that has written and parked something.
async fn began<H: DocumentStoreHarness>(harness: &H) -> Runner {
    let mut runner = Runner::live(harness.store()).await;
    let mut page = page([("kept", Some("0")), ("gone", Some("0"))]);
    page.park = vec![parked("settled", 1)];
    runner.write(2, page).await;
    runner
}

async fn assert_untouched(runner: &Runner) {
    assert_eq!(
        runner.documents().await,
        these([("gone", "0"), ("kept", "0")]),
        "a refused page left something"
    );
    let info = runner.info().await;
    assert_eq!((info.checkpoint.get(), info.parked), (2, 1), "a refused page left something");
}

fn change(key: &str, text: &str) -> Vec<(Arc<str>, Change)> {
    vec![(key.into(), Change::Put(Json::stored(text)))]
}

/// U+0000 in a key or in a document is refused, and the whole page with it.
pub async fn nul_is_refused_with_the_whole_page<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let runner = began(&harness).await;
    let hostile = [
        ("a\0b", "1"),
        ("a", r#""\u0000""#),
        ("a", r#"{"x":{"y":["z","\\\u0000"]}}"#),
        ("a", r#"{"\u0000":1}"#),
        ("a", r#"{"a\u0000b":1}"#),
    ];
    for (key, text) in hostile {
        match refused(runner.try_write(9, page_with(change(key, text))).await) {
            CheckpointError::Nul { subscriber, key: told } => {
                assert_eq!((&subscriber, &*told), (runner.id(), key))
            }
            other => panic!("expected {text} under {key:?} to be refused for its NUL, got {other:?}"),
        }
        assert_untouched(&runner).await;
    }
}

/// A backslash before `u0000` that is itself escaped makes no NUL: such documents are kept.
pub async fn what_only_looks_like_nul_is_kept<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let texts = [
        ("a", r#""\\u0000""#),
        ("b", r#"{"\\u0000":"\\\\u0000"}"#),
        ("c", r#""u0000\u0001""#),
        ("\\u0000", "1"),
    ];
    runner.write(1, page(texts.map(|(key, text)| (key, Some(text))))).await;
    assert_eq!(runner.documents().await, these(texts));
}

/// Documents and keys at their limits are kept, those beyond are refused with the whole page.
pub async fn limits_are_refused_one_beyond_them<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = began(&harness).await;
    let text = |bytes: usize| format!("\"{}\"", "x".repeat(bytes - 2));
    let key = |bytes: usize| "k".repeat(bytes);
    let (large, long) = (text(DOCUMENT_BYTES_MAX + 1), key(DOCUMENT_KEY_BYTES_MAX + 1));
    let mut too_long_to_park = page_with(vec![]);
    too_long_to_park.park.push(parked_under(&long));
    let beyond = [
        (page_with(change("a", &large)), DOCUMENT_BYTES_MAX),
        (page_with(change(&long, "1")), DOCUMENT_KEY_BYTES_MAX),
        (page_with(vec![(long.as_str().into(), Change::Delete)]), DOCUMENT_KEY_BYTES_MAX),
        (too_long_to_park, DOCUMENT_KEY_BYTES_MAX),
    ];
    for (page, limit) in beyond {
        match refused(runner.try_write(9, page).await) {
            CheckpointError::TooLarge { is, max, .. } => assert_eq!((is, max), (limit + 1, limit)),
            other => panic!("expected too large, got {other:?}"),
        }
        assert_untouched(&runner).await;
    }
    let (largest, longest) = (text(DOCUMENT_BYTES_MAX), key(DOCUMENT_KEY_BYTES_MAX));
    let mut at_the_limit = put(&longest, &largest);
    at_the_limit.park = vec![parked_under(&longest)];
    runner.write(9, at_the_limit).await;
    let slots = done(runner.store.load(runner.id(), &[longest.as_str().into()]).await);
    let document = slots[0].document.as_ref().expect("it was written");
    assert!(document.same_value(&Json::stored(largest)) && slots[0].parked);
}

fn parked_under(key: &str) -> crate::Parked {
    crate::Parked { key: key.into(), ..parked("short", 4) }
}

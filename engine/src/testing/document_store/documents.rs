//! Documents: kept, ordered, replaced, deleted.

use super::{
    super::event_store::hostile_keys,
    harness::{DocumentStoreHarness, stores},
    runner::{Runner, done, list, page, park, parked, plain, put, these},
};
use crate::{Json, PageLimit};
use std::sync::Arc;

/// Documents are listed in the order of the bytes of their keys, in pages of any size, each once; hostile keys are
/// kept exactly and apart.
pub async fn documents_are_listed_in_the_order_of_their_bytes_in_pages<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let keys = hostile_keys();
    let texts: Vec<_> = (0..keys.len()).map(|i| format!("{{\"number\":{i}}}")).collect();
    let changes = keys.iter().zip(&texts).map(|(key, text)| (key.as_str(), Some(text.as_str())));
    runner.write(1, page(changes)).await;
    let mut sorted: Vec<_> = keys.iter().zip(&texts).collect();
    sorted.sort_by(|(a, _), (b, _)| a.as_bytes().cmp(b.as_bytes()));
    for store in stores(&harness).await {
        for limit in [1, 7, 10_000] {
            let limit = PageLimit::new(limit).expect("a page");
            let listed = done(list(&*store, runner.id(), limit).await);
            let listed: Vec<_> = listed.iter().map(|(key, json)| (key.to_string(), plain(json))).collect();
            let wanted: Vec<_> = sorted.iter().map(|(key, text)| ((*key).clone(), (*text).clone())).collect();
            assert_eq!(listed, wanted, "in pages of {limit:?}");
        }
        let behind = done(store.documents(runner.id(), Some("a-"), PageLimit::ONE).await);
        assert_eq!(&*behind[0].0, "a-b", "behind a key that is none");
    }
    let asked: Vec<Arc<str>> = keys.iter().rev().map(|key| key.as_str().into()).collect();
    let slots = done(runner.store.load(runner.id(), &asked).await);
    for (slot, text) in slots.iter().zip(texts.iter().rev()) {
        assert_eq!(slot.document.as_ref().map(plain).as_ref(), Some(text));
    }
}

/// Loading answers each key in order, also those without a document and those asked for twice, and says where events
/// are parked.
pub async fn loading_answers_each_key_in_order<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    assert!(done(runner.store.load(runner.id(), &[]).await).is_empty());
    let mut first = page([("a", Some("1")), ("c", Some("3"))]);
    first.park = vec![parked("c", 1), parked("d", 1), parked("cc", 1)];
    runner.write(1, first).await;
    let keys: Vec<Arc<str>> = ["d", "c", "b", "a", "c", "", "A"].map(Arc::from).into();
    for store in stores(&harness).await {
        let slots = done(store.load(runner.id(), &keys).await);
        let got: Vec<_> = slots.iter().map(|slot| (slot.document.as_ref().map(plain), slot.parked)).collect();
        let document = |text: &str| Some(text.to_string());
        let three = || (document("3"), true);
        assert_eq!(
            got,
            [
                (None, true),
                three(),
                (None, false),
                (document("1"), false),
                three(),
                (None, false),
                (None, false)
            ]
        );
    }
}

/// Many keys are loaded at once: as many as a page of events may touch.
pub async fn loading_takes_as_many_keys_as_a_page_touches<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let keys: Vec<Arc<str>> = (0..2 * PageLimit::MAX.get()).map(|i| format!("key {i:06}").into()).collect();
    runner.write(1, page(keys.iter().step_by(2).map(|key| (&**key, Some("{\"a\":1}"))))).await;
    let slots = done(runner.store.load(runner.id(), &keys).await);
    assert_eq!(slots.len(), keys.len());
    assert!(slots.iter().enumerate().all(|(i, slot)| slot.document.is_some() == (i % 2 == 0)));
}

/// A document is replaced by the next one and gone when it is deleted; deleting one that is none changes nothing.
pub async fn documents_are_replaced_and_deleted<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(1, page([("a", Some("1")), ("b", Some("{\"x\":[1,2]}")), ("none", None)])).await;
    runner.write(2, page([("a", Some("{\"y\":null}")), ("b", None)])).await;
    assert_eq!(runner.documents().await, these([("a", "{\"y\":null}")]));
    runner.write(3, page([("b", Some("\"again\""))])).await;
    runner.write(4, page([("a", None)])).await;
    assert_eq!(runner.documents().await, these([("b", "\"again\"")]));
    runner.write(5, park([])).await;
    assert_eq!(runner.documents().await, these([("b", "\"again\"")]));
}

/// A document comes back with the value that it was written with, whatever JSON it is.
pub async fn documents_come_back_as_the_same_value<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    let texts = [
        "null",
        "true",
        "0",
        "-1.5",
        "\"\"",
        "[]",
        "{}",
        " { \"b\" : 1 ,\n\"a\" : [ 1.0 , 1e2 ] } ",
        "9007199254740993",
        "18446744073709551615",
        "-9223372036854775808",
        "0.1",
        "\"'; DROP TABLE documents; -- \u{202e} e\u{301} 😀 \\u0001 \\\\ \\\"\"",
        r#"{"":{" ":{"a.b":{"$c":[[[[]]]]}}}}"#,
    ];
    for (i, text) in texts.iter().enumerate() {
        runner.write(i as u64, put("a", text)).await;
        let slots = done(runner.store.load(runner.id(), &["a".into()]).await);
        let got = slots[0].document.as_ref().expect("it was written");
        assert!(got.same_value(&Json::stored(*text)), "{text} came back as {got}");
    }
}

/// What belongs to one subscriber is not seen by another.
pub async fn subscribers_keep_their_documents_apart<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    let mut orders = Runner::live(store.clone()).await;
    let id = done(store.open("stock", 1).await);
    let mut stock = Runner::of(store, &id).await;
    let mut first = put("a", "1");
    first.park = vec![parked("a", 1)];
    orders.write(1, first).await;
    stock.write(5, put("a", "2")).await;
    assert_eq!(orders.documents().await, these([("a", "1")]));
    assert_eq!(stock.documents().await, these([("a", "2")]));
    stock.write(6, page([("a", None)])).await;
    assert_eq!(orders.documents().await, these([("a", "1")]));
    assert_eq!((orders.info().await.checkpoint.get(), stock.info().await.checkpoint.get()), (1, 6));
    assert_eq!((orders.info().await.parked, stock.info().await.parked), (1, 0));
    assert!(done(stock.store.load(stock.id(), &["a".into()]).await).iter().all(|slot| !slot.parked));
}

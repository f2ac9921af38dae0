//! The books of the shop, from the log alone: nothing oversold, every order decided once.

use annals::{Rebuild, RecordedEvent};
use annals_tests::Shop;
use northwind_aggregates::{OrderEvent, StockEvent};
use std::collections::{BTreeMap, BTreeSet};

/// What the log says happened.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Books {
    pub(crate) orders: u64,
    pub(crate) confirmed: u64,
    pub(crate) cancelled: u64,
    /// Pieces promised, over all articles.
    pub(crate) reserved: u64,
    /// How often an order was told that there is too little.
    pub(crate) refused: u64,
}

/// Reads the books, event by event, without the aggregates.
///
/// # Panics
/// When an article was oversold at any moment, or an order is not decided exactly once.
pub(crate) fn assert_books(log: &[RecordedEvent]) -> Books {
    let (mut books, mut on_hand, mut open) = (Books::default(), BTreeMap::new(), BTreeSet::new());
    for recorded in log {
        match recorded.stream.category() {
            "stock" => {
                let (there, promised) = on_hand.entry(recorded.key().to_string()).or_insert((0u64, 0u64));
                annals::decode_recorded(recorded, &mut |event| match event {
                    StockEvent::Received { quantity, .. } => *there += quantity,
                    StockEvent::Reserved { quantity, .. } => *promised += quantity,
                    StockEvent::Released { quantity, .. } => *promised -= quantity,
                    StockEvent::ReservationRefused { .. } => books.refused += 1,
                    StockEvent::Shipped { .. }
                    | StockEvent::Adjusted { .. }
                    | StockEvent::AdjustmentRefused { .. } => panic!("{recorded:?}"),
                })
                .unwrap();
                assert!(promised <= there, "{} is oversold at {}", recorded.stream, recorded.position);
            }
            "order" => annals::decode_recorded(recorded, &mut |event| match event {
                OrderEvent::Placed { .. } => {
                    books.orders += 1;
                    assert!(open.insert(recorded.key().to_string()), "{recorded:?} is placed twice");
                }
                OrderEvent::Confirmed { .. } => {
                    books.confirmed += 1;
                    assert!(open.remove(recorded.key()), "{recorded:?} was decided before");
                }
                OrderEvent::Cancelled { .. } => {
                    books.cancelled += 1;
                    assert!(open.remove(recorded.key()), "{recorded:?} was decided before");
                }
                _ => {}
            })
            .unwrap(),
            other => panic!("nobody writes {other}"),
        }
    }
    assert!(open.is_empty(), "{} orders are not decided: {:?}", open.len(), open.first());
    books.reserved = on_hand.values().map(|(_, promised)| promised).sum();
    books
}

/// Compares every read model with one made anew from the log; returns how many documents there are.
///
/// # Panics
/// When any document differs, or events are parked.
pub(crate) async fn assert_same_as_replayed(shop: &Shop) -> u64 {
    let mut documents = 0;
    for differs in differences(shop).await {
        let (model, comparison) = differs;
        assert_eq!(comparison.differences(), 0, "{model}: {comparison:?}");
        documents += comparison.documents;
    }
    let parked = shop.documents.subscribers().await.unwrap().iter().map(|info| info.parked).sum::<u64>();
    assert_eq!(parked, 0);
    documents
}

/// How each read model differs from one made anew from the log.
pub(crate) async fn differences(shop: &Shop) -> Vec<(&'static str, annals::Comparison)> {
    let mut all = vec![];
    for model in shop.models() {
        let name = model.name();
        let rebuild = Rebuild::new(model, shop.store.clone(), shop.documents.clone());
        let rebuilt = rebuild.compare(&mut |_| {}).await.unwrap();
        all.push((name, rebuilt.comparison.unwrap()));
    }
    all
}

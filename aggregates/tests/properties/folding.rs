//! A history folds the same in one pass, in pages, and from a snapshot at any point.

use crate::{
    commands,
    drive::{STEPS_MAX, always, drive},
};
use annals::{Aggregate, Json};
use northwind_aggregates::{GoodsReturn, Order, Payment, StockEvent, StockItem};
use proptest::{collection::vec, prelude::*};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;

fn fold<A: Aggregate>(mut state: A, events: &[A::Event]) -> A {
    events.iter().for_each(|event| state.evolve(event));
    state
}

fn history<A: Aggregate>(commands: &[A::Command]) -> Vec<A::Event> {
    drive::<A>(commands, |_| {})
}

/// Folds `history` in pages of `page`, keeping the state as JSON between them: a snapshot at every multiple.
fn folds_the_same<A>(history: &[A::Event])
where
    A: Aggregate + Serialize + DeserializeOwned + PartialEq + Debug,
{
    let whole = fold(A::default(), history);
    for page in 1..=history.len() {
        let in_pages = history.chunks(page).fold(A::default(), |state, events| {
            let snapshot = Json::of(&state).unwrap();
            fold(snapshot.read().unwrap(), events)
        });
        assert_eq!(in_pages, whole, "in pages of {page}");
    }
    for point in 0..=history.len() {
        let snapshot = Json::of(&fold(A::default(), &history[..point])).unwrap();
        let resumed: A = fold(snapshot.read().unwrap(), &history[point..]);
        assert_eq!(resumed, whole, "from a snapshot at {point}");
    }
}

// How it was broken: with `#[serde(skip)]` on `waiting`, an order resumed from a snapshot is another.
#[test]
fn orders_fold_the_same() {
    always(commands::order(), |commands| folds_the_same::<Order>(&history::<Order>(&commands)));
}

#[test]
fn stock_folds_the_same() {
    always(commands::stock(), |commands| folds_the_same::<StockItem>(&history::<StockItem>(&commands)));
}

#[test]
fn payments_fold_the_same() {
    always(commands::payment(), |commands| folds_the_same::<Payment>(&history::<Payment>(&commands)));
}

#[test]
fn returns_fold_the_same() {
    always(commands::goods_return(), |commands| {
        folds_the_same::<GoodsReturn>(&history::<GoodsReturn>(&commands))
    });
}

/// Histories that no rule of today would decide, with figures at the edge: an older program may have written them.
#[test]
fn any_history_of_stock_folds_without_a_panic() {
    let order = || prop::sample::select(&commands::ORDERS[..]).prop_map(String::from);
    let pieces = || prop_oneof![0..9_u64, Just(u64::MAX)];
    let delta = prop_oneof![-9..9_i64, Just(i64::MIN), Just(i64::MAX)];
    let event = prop_oneof![
        pieces().prop_map(|quantity| StockEvent::Received { quantity, reference: "delivery".into() }),
        (order(), pieces()).prop_map(|(order, quantity)| StockEvent::Reserved { order, quantity }),
        (order(), pieces()).prop_map(|(order, quantity)| StockEvent::Released { order, quantity }),
        (order(), pieces()).prop_map(|(order, quantity)| StockEvent::Shipped { order, quantity }),
        delta.prop_map(|delta| StockEvent::Adjusted { delta, reason: String::new() }),
    ];
    always(vec(event, 0..STEPS_MAX), |history| folds_the_same::<StockItem>(&history));
}

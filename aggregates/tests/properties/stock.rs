//! Stock is never oversold, and its books add up.

use crate::{
    cases,
    commands::{self, ORDERS},
};
use annals::testing::check_commands;
use northwind_aggregates::{Holding, StockEvent, StockItem};
use std::{cell::Cell, collections::HashSet};

fn promised(item: &StockItem) -> u64 {
    let pieces = |order: &&str| match item.holding(order) {
        Some(Holding::Reserved { quantity }) => quantity,
        _ => 0,
    };
    ORDERS.iter().map(pieces).sum()
}

// How it was broken: with `adjust` allowed down to 0 instead of what is reserved, a case of a few commands is found.
#[test]
fn no_more_is_promised_than_is_there() {
    let full = Cell::new(0);
    check_commands::<StockItem>(cases(), commands::stock(), |_, item| {
        assert!(item.reserved() <= item.on_hand(), "{item:?}");
        assert_eq!(item.reserved(), promised(item));
        full.set(full.get() + i32::from(item.reserved() > 0 && item.free() == 0));
    });
    assert!(full.get() > 0, "no case came to the edge");
}

// How it was broken: with a release that takes its pieces off `on_hand` too, a case of a few commands is found.
#[test]
fn received_is_on_hand_and_shipped_less_what_was_adjusted() {
    check_commands::<StockItem>(cases(), commands::stock(), |_, item| {
        let sum = i128::from(item.on_hand()) + i128::from(item.shipped()) - i128::from(item.adjusted());
        assert_eq!(i128::from(item.received()), sum, "{item:?}");
    });
}

// How it was broken: when a release answers an order that was refused, a case of two commands is found.
#[test]
fn what_became_of_an_order_is_final() {
    let settled = Cell::new(0);
    check_commands::<StockItem>(cases(), commands::stock(), |history, _| {
        let mut over = HashSet::new();
        for event in history {
            let (order, last) = match event {
                StockEvent::Received { .. }
                | StockEvent::Adjusted { .. }
                | StockEvent::AdjustmentRefused { .. } => continue,
                StockEvent::Reserved { order, .. } => (order, false),
                StockEvent::ReservationRefused { order, .. }
                | StockEvent::Released { order, .. }
                | StockEvent::Shipped { order, .. } => (order, true),
            };
            assert!(!over.contains(order), "order {order} was settled before {event:?}");
            if last {
                over.insert(order);
            }
        }
        settled.set(settled.get() + over.len());
    });
    assert!(settled.get() > 0, "no case settled an order");
}

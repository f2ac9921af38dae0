//! Stock is never oversold, and its books add up.

use crate::{
    commands::{self, ORDERS},
    drive::{always, drive},
};
use northwind_aggregates::{Holding, StockItem};
use std::cell::Cell;

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
    always(commands::stock(), |commands| {
        drive::<StockItem>(&commands, |step| {
            assert!(step.after.reserved() <= step.after.on_hand(), "{:?}", step.after);
            assert_eq!(step.after.reserved(), promised(step.after));
            if step.after.reserved() > 0 && step.after.free() == 0 {
                full.set(full.get() + 1);
            }
        });
    });
    assert!(full.get() > 0, "no case came to the edge");
}

// How it was broken: with a release that takes its pieces off `on_hand` too, a case of a few commands is found.
#[test]
fn received_is_on_hand_and_shipped_less_what_was_adjusted() {
    always(commands::stock(), |commands| {
        drive::<StockItem>(&commands, |step| {
            let item = step.after;
            let sum = i128::from(item.on_hand()) + i128::from(item.shipped()) - i128::from(item.adjusted());
            assert_eq!(i128::from(item.received()), sum, "{item:?}");
        });
    });
}

// How it was broken: when a release answers an order that was refused, a case of two commands is found.
#[test]
fn what_became_of_an_order_is_final() {
    let kept = Cell::new(0);
    always(commands::stock(), |commands| {
        drive::<StockItem>(&commands, |step| {
            for order in ORDERS {
                let before = step.before.holding(order);
                if matches!(before, Some(Holding::Refused | Holding::Released | Holding::Shipped { .. })) {
                    assert_eq!(step.after.holding(order), before, "{order} by {:?}", step.command);
                    kept.set(kept.get() + 1);
                }
            }
        });
    });
    assert!(kept.get() > 0, "no case settled an order");
}

#[test]
fn a_rejection_changes_nothing() {
    always(commands::stock(), |commands| {
        drive::<StockItem>(&commands, |step| assert!(!step.rejected || step.before == step.after));
    });
}

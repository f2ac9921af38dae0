//! An order's total is what stands on its bill, and the end is the end.

use crate::{cases, commands};
use annals::testing::check_commands;
use northwind_aggregates::{GoodsReturn, Order, OrderEvent};
use std::cell::Cell;

fn bill(order: &Order) -> i128 {
    let goods =
        order.lines().iter().map(|line| i128::from(line.quantity) * i128::from(line.unit_price_minor));
    goods.chain(order.charges().iter().map(|charge| i128::from(charge.amount_minor))).sum()
}

// How it was broken: with a total that loses one minor unit per charge when it is folded, a case of one command is
// found; with an order that can be placed again, one of two.
#[test]
fn the_total_is_the_sum_of_lines_and_charges_and_never_changes() {
    let placed = Cell::new(0);
    check_commands::<Order>(cases(), commands::order(), |history, order| {
        let first = history.iter().find_map(|event| match event {
            OrderEvent::Placed { total_minor, .. } => Some(*total_minor),
            _ => None,
        });
        assert_eq!(order.total().map(|total| total.minor), first);
        if let Some(total) = first {
            assert_eq!(i128::from(total), bill(order));
            placed.set(placed.get() + 1);
        }
    });
    assert!(placed.get() > 0, "no case placed an order");
}

// How it was broken: when `record_reservation` goes on whatever the status, a cancelled order is confirmed.
#[test]
fn nothing_changes_an_order_that_is_over() {
    let (cancelled, returned) = (Cell::new(0), Cell::new(0));
    check_commands::<Order>(cases(), commands::order(), |history, order| {
        for (index, event) in history.iter().enumerate() {
            let over = match event {
                OrderEvent::Cancelled { .. } => &cancelled,
                OrderEvent::Returned { .. } => &returned,
                _ => continue,
            };
            assert_eq!(index + 1, history.len(), "something happened after {event:?}");
            assert!(order.status().is_terminal());
            over.set(over.get() + 1);
        }
    });
    assert!(cancelled.get() > 0 && returned.get() > 0, "{cancelled:?} {returned:?}");
}

#[test]
fn nothing_changes_a_return_that_is_accepted() {
    let accepted = Cell::new(0);
    check_commands::<GoodsReturn>(cases(), commands::goods_return(), |history, parcel| {
        assert!(history.len() <= 1, "{history:?}");
        accepted.set(accepted.get() + i32::from(parcel.refund().is_some()));
    });
    assert!(accepted.get() > 0, "no case accepted a return");
}

//! An order's total is what stands on its bill, and the end is the end.

use crate::{
    commands,
    drive::{always, drive},
};
use northwind_aggregates::{GoodsReturn, Order, OrderStatus};
use std::cell::Cell;

fn bill(order: &Order) -> i128 {
    let goods =
        order.lines().iter().map(|line| i128::from(line.quantity) * i128::from(line.unit_price_minor));
    goods.chain(order.charges().iter().map(|charge| i128::from(charge.amount_minor))).sum()
}

// How it was broken: with a total that loses one minor unit per charge when it is folded, a case of one command is
// found.
#[test]
fn the_total_is_the_sum_of_lines_and_charges_and_never_changes() {
    let placed = Cell::new(0);
    always(commands::order(), |commands| {
        drive::<Order>(&commands, |step| {
            let Some(total) = step.after.total() else { return };
            assert_eq!(i128::from(total.minor), bill(step.after));
            if let Some(before) = step.before.total() {
                assert_eq!(total, before);
                placed.set(placed.get() + 1);
            }
        });
    });
    assert!(placed.get() > 0, "no case placed an order");
}

// How it was broken: when `record_reservation` goes on whatever the status, a cancelled order is confirmed.
#[test]
fn nothing_changes_an_order_that_is_over() {
    let over = Cell::new((0, 0));
    always(commands::order(), |commands| {
        drive::<Order>(&commands, |step| {
            if step.before.status().is_terminal() {
                assert_eq!(step.after, step.before, "by {:?}", step.command);
                let (cancelled, returned) = over.get();
                over.set(match step.before.status() {
                    OrderStatus::Cancelled => (cancelled + 1, returned),
                    _ => (cancelled, returned + 1),
                });
            }
        });
    });
    let (cancelled, returned) = over.get();
    assert!(
        cancelled > 0 && returned > 0,
        "{cancelled} commands to cancelled, {returned} to returned orders"
    );
}

#[test]
fn nothing_changes_a_return_that_is_accepted() {
    let accepted = Cell::new(0);
    always(commands::goods_return(), |commands| {
        drive::<GoodsReturn>(&commands, |step| {
            if step.before.refund().is_some() {
                assert_eq!(step.after, step.before);
                accepted.set(accepted.get() + 1);
            }
        });
    });
    assert!(accepted.get() > 0, "no case accepted a return");
}

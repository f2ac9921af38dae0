//! No more goes back than came in, and the end is the end.

use crate::{
    commands,
    drive::{always, drive},
};
use northwind_aggregates::{Payment, PaymentStatus};
use std::cell::Cell;

// How it was broken: with `refund` measured against what is authorised, a case of three commands is found.
#[test]
fn refunded_is_at_most_captured_and_captured_at_most_authorised() {
    let refunded = Cell::new(0);
    always(commands::payment(), |commands| {
        drive::<Payment>(&commands, |step| {
            let authorised = step.after.authorised().map_or(0, |amount| amount.minor);
            let (captured, given_back) = (step.after.captured_minor(), step.after.refunded_minor());
            assert!(0 <= given_back && given_back <= captured && captured <= authorised, "{:?}", step.after);
            refunded.set(refunded.get() + i32::from(given_back > 0));
        });
    });
    assert!(refunded.get() > 0, "no case refunded anything");
}

#[test]
fn nothing_changes_a_payment_that_is_over() {
    let over = Cell::new((0, 0));
    always(commands::payment(), |commands| {
        drive::<Payment>(&commands, |step| {
            if step.before.status().is_terminal() {
                assert_eq!(step.after, step.before, "by {:?}", step.command);
                let (declined, refunded) = over.get();
                over.set(match step.before.status() {
                    PaymentStatus::Declined => (declined + 1, refunded),
                    _ => (declined, refunded + 1),
                });
            }
        });
    });
    let (declined, refunded) = over.get();
    assert!(declined > 0 && refunded > 0, "{declined} commands to declined, {refunded} to refunded payments");
}

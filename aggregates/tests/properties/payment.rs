//! No more goes back than came in, and the end is the end.

use crate::{cases, commands};
use annals::{Aggregate, testing::check_commands};
use northwind_aggregates::{Payment, PaymentStatus};
use std::cell::Cell;

// How it was broken: with `refund` measured against what is authorised, a case of three commands is found.
#[test]
fn refunded_is_at_most_captured_and_captured_at_most_authorised() {
    let given_back = Cell::new(0);
    check_commands::<Payment>(cases(), commands::payment(), |_, payment| {
        let authorised = payment.authorised().map_or(0, |amount| amount.minor);
        let (captured, refunded) = (payment.captured_minor(), payment.refunded_minor());
        assert!(0 <= refunded && refunded <= captured && captured <= authorised, "{payment:?}");
        given_back.set(given_back.get() + i32::from(refunded > 0));
    });
    assert!(given_back.get() > 0, "no case refunded anything");
}

// How it was broken: when `capture` goes on after all was refunded, a case of four commands is found.
#[test]
fn nothing_changes_a_payment_that_is_over() {
    let (declined, refunded) = (Cell::new(0), Cell::new(0));
    check_commands::<Payment>(cases(), commands::payment(), |history, _| {
        let mut payment = Payment::default();
        for event in history {
            assert!(!payment.status().is_terminal(), "{event:?} happened after the end");
            payment.evolve(event);
        }
        match payment.status() {
            PaymentStatus::Declined => declined.set(declined.get() + 1),
            PaymentStatus::Refunded => refunded.set(refunded.get() + 1),
            _ => {}
        }
    });
    assert!(declined.get() > 0 && refunded.get() > 0, "{declined:?} {refunded:?}");
}

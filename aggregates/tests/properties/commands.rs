//! Random commands: mostly sensible, sometimes absurd.

use annals::testing::proptest::{collection::vec, prelude::*};
use chrono::DateTime;
use northwind_aggregates::{
    Charge, Currency, Line, Money, OrderCommand, Outcome, PaymentCommand, ReturnCommand, Sku, StockCommand,
};

/// The orders that ask for stock.
pub(crate) const ORDERS: [&str; 5] = ["1", "2", "3", "4", "5"];

pub(crate) fn stock() -> impl Strategy<Value = StockCommand> {
    let order = || prop::sample::select(&ORDERS[..]).prop_map(String::from);
    let pieces = || prop_oneof![20 => 0..12_u64, 1 => Just(u64::MAX)];
    let delta = prop_oneof![10 => -15..15_i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    prop_oneof![
        3 => pieces().prop_map(|quantity| StockCommand::Receive { quantity, reference: "delivery".into() }),
        4 => (order(), pieces()).prop_map(|(order, quantity)| StockCommand::Reserve { order, quantity }),
        2 => order().prop_map(|order| StockCommand::Release { order }),
        2 => order().prop_map(|order| StockCommand::Ship { order }),
        2 => delta.prop_map(|delta| StockCommand::Adjust { delta, reason: "counted".into() }),
    ]
}

pub(crate) fn order() -> impl Strategy<Value = OrderCommand> {
    let occurred_at = DateTime::UNIX_EPOCH;
    let outcome = prop_oneof![
        9 => Just(Outcome::Reserved),
        1 => (0..9_u64).prop_map(|available| Outcome::Refused { available }),
    ];
    let record = (article(), outcome).prop_map(move |(sku, outcome)| OrderCommand::RecordReservation {
        sku,
        outcome,
        occurred_at,
    });
    prop_oneof![
        3 => place(),
        12 => record,
        1 => Just(OrderCommand::Cancel { reason: "changed my mind".into(), occurred_at }),
        2 => Just(OrderCommand::Ship { occurred_at }),
        2 => Just(OrderCommand::Deliver { occurred_at }),
        2 => Just(OrderCommand::Return { occurred_at }),
    ]
}

fn place() -> impl Strategy<Value = OrderCommand> {
    (lines(), charges()).prop_map(|(lines, charges)| OrderCommand::Place {
        customer: Some("17850".into()),
        country: None,
        currency: Currency::GBP,
        lines,
        charges,
        occurred_at: DateTime::UNIX_EPOCH,
    })
}

pub(crate) fn goods_return() -> impl Strategy<Value = ReturnCommand> {
    (lines(), charges()).prop_map(|(lines, charges)| ReturnCommand::Accept {
        customer: None,
        currency: Currency::GBP,
        lines,
        charges,
        occurred_at: DateTime::UNIX_EPOCH,
    })
}

pub(crate) fn payment() -> impl Strategy<Value = PaymentCommand> {
    let minor = prop_oneof![30 => -2..60_i64, 1 => Just(i64::MAX), 1 => Just(i64::MIN)];
    let currency = prop_oneof![15 => Just(Currency::GBP), 1 => Just(Currency::EUR)];
    let amount = || (minor.clone(), currency.clone()).prop_map(|(minor, currency)| Money { minor, currency });
    prop_oneof![
        3 => amount().prop_map(|amount| PaymentCommand::Authorise { order: "17".into(), amount }),
        1 => Just(PaymentCommand::Decline { reason: "card expired".into() }),
        4 => amount().prop_map(|amount| PaymentCommand::Capture { amount }),
        4 => amount().prop_map(|amount| PaymentCommand::Refund { amount }),
    ]
}

/// Three articles, one of them in two spellings.
fn article() -> impl Strategy<Value = Sku> {
    prop::sample::select(vec!["HAT", "hat", "COAT", "BAG"]).prop_map(|text| Sku::new(text).unwrap())
}

fn lines() -> impl Strategy<Value = Vec<Line>> {
    let quantity = prop_oneof![40 => 1..6_u32, 1 => Just(0), 1 => Just(u32::MAX)];
    let price = prop_oneof![40 => 0..1_000_i64, 1 => Just(-1), 1 => Just(i64::MAX)];
    let line = (article(), quantity, price).prop_map(|(sku, quantity, unit_price_minor)| Line {
        line: 1,
        sku,
        description: String::new(),
        quantity,
        unit_price_minor,
    });
    vec(line, 0..4)
}

fn charges() -> impl Strategy<Value = Vec<Charge>> {
    let amount = prop_oneof![30 => -500..2_000_i64, 1 => Just(i64::MIN), 1 => Just(i64::MAX)];
    let charge = amount.prop_map(|amount_minor| Charge {
        line: 9,
        code: "POST".into(),
        description: String::new(),
        quantity: 1,
        amount_minor,
    });
    vec(charge, 0..3)
}

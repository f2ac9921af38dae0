//! Every event that was ever stored can be read for ever: each has a file under `golden/`.

use annals::testing::golden_files;
use chrono::{DateTime, Utc};
use northwind_aggregates::{
    AdjustmentRefusal, CancelReason, Charge, Currency, Line, Money, OrderEvent, PaymentEvent, ReturnEvent,
    Sku, StockEvent,
};

const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/golden");

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_291_191_960 + second, 0).expect("a time in range")
}

fn sku(text: &str) -> Sku {
    Sku::new(text).expect("an article number")
}

fn customer() -> Option<String> {
    Some("17850".into())
}

fn lines() -> Vec<Line> {
    let description = "WHITE HANGING HEART T-LIGHT HOLDER".into();
    vec![Line { line: 1, sku: sku("85123A"), description, quantity: 6, unit_price_minor: 255 }]
}

fn charges() -> Vec<Charge> {
    let (code, description) = ("POST".into(), "POSTAGE".into());
    vec![Charge { line: 2, code, description, quantity: 1, amount_minor: 1_800 }]
}

#[test]
fn orders_can_be_read_for_ever() {
    let (currency, skus) = (Currency::GBP, vec![sku("85123A")]);
    let reason = CancelReason::OutOfStock { sku: sku("85123A"), asked: 6, available: 2 };
    golden_files(
        FOLDER,
        [
            OrderEvent::Placed {
                customer: customer(),
                country: Some("United Kingdom".into()),
                currency,
                lines: lines(),
                charges: charges(),
                total_minor: 3_330,
                occurred_at: at(0),
            },
            OrderEvent::SkuReserved { sku: sku("85123A") },
            OrderEvent::Confirmed { occurred_at: at(1) },
            OrderEvent::Cancelled { reason, customer: customer(), skus: skus.clone(), occurred_at: at(1) },
            OrderEvent::Shipped { skus, occurred_at: at(2) },
            OrderEvent::Delivered { occurred_at: at(3) },
            OrderEvent::Returned { customer: customer(), lines: lines(), currency, occurred_at: at(4) },
        ],
    );
}

#[test]
fn stock_can_be_read_for_ever() {
    let order = || "536365".to_string();
    let refusal = AdjustmentRefusal::BelowReserved { on_hand: 8, reserved: 6 };
    golden_files(
        FOLDER,
        [
            StockEvent::Received { quantity: 100, reference: "opening stock".into() },
            StockEvent::Reserved { order: order(), quantity: 6 },
            StockEvent::ReservationRefused { order: order(), quantity: 6, available: 2 },
            StockEvent::Released { order: order(), quantity: 6 },
            StockEvent::Shipped { order: order(), quantity: 6 },
            StockEvent::Adjusted { delta: -10, reason: "damages".into() },
            StockEvent::AdjustmentRefused { delta: -10, reason: "damages".into(), refusal },
        ],
    );
}

#[test]
fn payments_can_be_read_for_ever() {
    let amount = Money::new(3_330, Currency::GBP);
    golden_files(
        FOLDER,
        [
            PaymentEvent::Authorised { order: "536365".into(), amount },
            PaymentEvent::Declined { reason: "card expired".into() },
            PaymentEvent::Captured { amount },
            PaymentEvent::Refunded { amount },
        ],
    );
}

#[test]
fn returns_can_be_read_for_ever() {
    let accepted = ReturnEvent::Accepted {
        customer: customer(),
        currency: Currency::GBP,
        lines: lines(),
        charges: charges(),
        refund_minor: 3_330,
        occurred_at: at(0),
    };
    golden_files(FOLDER, [accepted]);
}

#[test]
fn what_a_payload_may_leave_out_is_read_as_absent() {
    let guest =
        r#"{"currency":"GBP","lines":[],"charges":[],"total_minor":0,"occurred_at":"2010-12-01T08:26:00Z"}"#;
    let event: OrderEvent = annals::codec::decode("Placed", guest).expect("an order of a guest");
    assert!(matches!(event, OrderEvent::Placed { customer: None, country: None, .. }), "{event:?}");

    let on_request =
        r#"{"reason":{"Requested":{"why":"too late"}},"skus":[],"occurred_at":"2010-12-01T08:26:00Z"}"#;
    let event: OrderEvent = annals::codec::decode("Cancelled", on_request).expect("called off by a guest");
    let why = "too late".to_string();
    let reason = CancelReason::Requested { why };
    assert_eq!(event, OrderEvent::Cancelled { reason, customer: None, skus: vec![], occurred_at: at(0) });
}

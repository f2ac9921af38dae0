//! What each read model shows.

use super::*;
use annals::testing::projecting;
use chrono::{DateTime, Utc};
use northwind_aggregates::{
    AdjustmentRefusal, CancelReason, Charge, Currency, Line, OrderEvent, OrderStatus, ReturnEvent, Sku,
    StockEvent,
};

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

fn line(number: u32, article: &str, quantity: u32, unit_price_minor: i64) -> Line {
    let sku = Sku::new(article).unwrap();
    Line { line: number, sku, description: String::new(), quantity, unit_price_minor }
}

fn postage() -> Charge {
    Charge { line: 9, code: "POST".into(), description: "POSTAGE".into(), quantity: 1, amount_minor: 1_800 }
}

/// Two lines of hats and one of coats: 1 000 minor units of goods, and postage.
fn lines() -> Vec<Line> {
    vec![line(1, "HAT", 1, 100), line(2, "coat", 3, 200), line(3, "hat", 2, 150)]
}

fn placed(customer: Option<&str>, currency: Currency, time: &str) -> OrderEvent {
    OrderEvent::Placed {
        customer: customer.map(Into::into),
        country: Some("France".into()),
        currency,
        lines: lines(),
        charges: vec![postage()],
        total_minor: 2_800,
        occurred_at: at(time),
    }
}

fn accepted(customer: Option<&str>, lines: Vec<Line>, time: &str) -> ReturnEvent {
    ReturnEvent::Accepted {
        customer: customer.map(Into::into),
        currency: Currency::GBP,
        lines,
        charges: vec![postage()],
        refund_minor: 0,
        occurred_at: at(time),
    }
}

fn takings(gross_minor: i64, refund_minor: i64) -> Takings {
    Takings { gross_minor, refund_minor, ..Takings::in_currency(Currency::GBP) }
}

const FIRST: &str = "2010-12-01T23:59:59Z";
const SECOND: &str = "2010-12-02T00:00:00Z";

#[test]
fn sales_per_day_count_goods_on_the_day_of_business() {
    let day = |day: &str, orders, lines, returns, takings| SalesPerDayDocument {
        day: day.into(),
        orders,
        lines,
        returns,
        takings,
    };
    projecting(SalesPerDay)
        .given("order-1", [placed(None, Currency::GBP, FIRST)])
        .given("order-2", [placed(None, Currency::GBP, FIRST)])
        .given("return-C3", [accepted(None, vec![line(1, "HAT", 2, 90)], SECOND)])
        .given("return-C4", [accepted(None, vec![], SECOND)])
        .then_document("2010-12-01", day("2010-12-01", 2, 6, 0, takings(2_000, 0)))
        .then_document("2010-12-02", day("2010-12-02", 0, 0, 2, takings(0, 180)));
}

#[test]
fn sales_per_sku_count_all_lines_of_an_article_together() {
    let article = |sku: &str, ordered, returned, takings| SalesPerSkuDocument {
        sku: sku.into(),
        ordered,
        returned,
        takings,
    };
    let order_came_back = OrderEvent::Returned {
        customer: None,
        lines: lines(),
        currency: Currency::GBP,
        occurred_at: at(SECOND),
    };
    projecting(SalesPerSku)
        .given("order-1", [placed(None, Currency::GBP, FIRST)])
        .given("return-C3", [accepted(None, vec![line(1, "HAT", 2, 90)], SECOND)])
        .then_document("HAT", article("HAT", 3, 2, takings(400, 180)))
        .then_document("COAT", article("COAT", 3, 0, takings(600, 0)))
        .given("order-1", [order_came_back])
        .then_document("HAT", article("HAT", 3, 5, takings(400, 580)))
        .then_no_document("POST");
}

#[test]
fn two_currencies_are_counted_apart() {
    let json = serde_json::json!({
        "sku": "COAT", "ordered": 6, "returned": 0, "currency": "GBP", "gross_minor": 600, "refund_minor": 0,
        "other_currencies": { "EUR": { "gross_minor": 600, "refund_minor": 0 } },
    });
    projecting(SalesPerSku)
        .given("order-1", [placed(None, Currency::GBP, FIRST)])
        .given("order-2", [placed(None, Currency::EUR, FIRST)])
        .then_document("COAT", serde_json::from_value(json).unwrap());
}

#[test]
fn an_amount_that_does_not_fit_is_refused_not_wrapped() {
    let huge = |order: &str| {
        let lines = vec![line(1, "HAT", 1, i64::MAX)];
        let (currency, occurred_at) = (Currency::GBP, at(FIRST));
        let (customer, country) = (Some(order.to_string()), None);
        let total_minor = i64::MAX;
        [OrderEvent::Placed { customer, country, currency, lines, charges: vec![], total_minor, occurred_at }]
    };
    projecting(SalesPerSku)
        .given("order-1", huge("1"))
        .given("order-2", huge("2"))
        .then_refused("HAT", "more than an amount can hold");
}

fn order(number: &str, time: &str) -> PlacedOrder {
    PlacedOrder {
        order: number.into(),
        placed_at: at(time),
        lines: 3,
        total_minor: 2_800,
        currency: Currency::GBP,
        cancelled: false,
    }
}

#[test]
fn customers_are_shown_their_orders_and_guests_are_counted_together() {
    let customer = || Some("17850".to_string());
    let came_back = OrderEvent::Returned {
        customer: customer(),
        lines: lines(),
        currency: Currency::GBP,
        occurred_at: at(SECOND),
    };
    let cancelled = OrderEvent::Cancelled {
        reason: CancelReason::Requested { why: "changed my mind".into() },
        customer: customer(),
        skus: vec![],
        occurred_at: at(SECOND),
    };
    projecting(CustomerOrders)
        .given("order-1", [placed(Some("17850"), Currency::GBP, FIRST)])
        .given("order-2", [placed(None, Currency::GBP, FIRST)])
        .given("order-3", [placed(Some("17850"), Currency::GBP, SECOND), cancelled])
        .given("order-1", [came_back])
        .given("return-C4", [accepted(Some("17850"), vec![line(1, "HAT", 2, 90)], SECOND)])
        .then_document(
            "17850",
            CustomerOrdersDocument {
                customer: "17850".into(),
                orders: 2,
                cancelled: 1,
                returns: 2,
                takings: takings(2_000, 1_180),
                last_orders: [order("1", FIRST), PlacedOrder { cancelled: true, ..order("3", SECOND) }]
                    .into(),
            },
        )
        .then_document(
            GUEST,
            CustomerOrdersDocument {
                customer: GUEST.into(),
                orders: 1,
                cancelled: 0,
                returns: 0,
                takings: takings(1_000, 0),
                last_orders: [order("2", FIRST)].into(),
            },
        );
}

// How it was broken: without the `while` in `place` the document lists all 101 orders.
#[test]
fn a_customers_document_stays_small() {
    let mut shop = projecting(CustomerOrders);
    for number in 0..=LAST_ORDERS_MAX {
        shop = shop.given(&format!("order-{number}"), [placed(None, Currency::GBP, FIRST)]);
    }
    shop.then_document(
        GUEST,
        CustomerOrdersDocument {
            customer: GUEST.into(),
            orders: 101,
            cancelled: 0,
            returns: 0,
            takings: takings(101_000, 0),
            last_orders: (1..=LAST_ORDERS_MAX).map(|number| order(&number.to_string(), FIRST)).collect(),
        },
    );
}

#[test]
fn stock_shows_what_is_left() {
    let order = || "17".to_string();
    let refusal = AdjustmentRefusal::BelowReserved { on_hand: 5, reserved: 2 };
    let document = StockDocument {
        sku: "HAT".into(),
        on_hand: 5,
        reserved: 2,
        shipped: 3,
        received: 10,
        adjusted: -2,
        refusals: 1,
    };
    projecting(Stock)
        .given(
            "stock-HAT",
            [
                StockEvent::Received { quantity: 10, reference: "delivery".into() },
                StockEvent::Reserved { order: order(), quantity: 3 },
                StockEvent::ReservationRefused { order: "18".into(), quantity: 30, available: 7 },
                StockEvent::Reserved { order: "19".into(), quantity: 2 },
                StockEvent::Reserved { order: "20".into(), quantity: 1 },
                StockEvent::Released { order: "20".into(), quantity: 1 },
                StockEvent::Shipped { order: order(), quantity: 3 },
                StockEvent::Adjusted { delta: -2, reason: "broken".into() },
                StockEvent::AdjustmentRefused { delta: -9, reason: "lost".into(), refusal },
            ],
        )
        .then_document("HAT", document);
}

#[test]
fn an_order_is_shown_with_its_times() {
    let recorded = |second: i64| DateTime::from_timestamp(1_800_000_000 + second, 0).unwrap();
    let mut document = OrderDocument {
        order: "5-17".into(),
        status: OrderStatus::Placed,
        customer: Some("17850".into()),
        country: Some("France".into()),
        currency: Currency::GBP,
        total_minor: 2_800,
        lines: lines(),
        charges: vec![postage()],
        cancel_reason: None,
        placed_at: at(FIRST),
        confirmed_at: None,
        cancelled_at: None,
        shipped_at: None,
        delivered_at: None,
        returned_at: None,
        placed_recorded_at: recorded(0),
        changed_recorded_at: recorded(0),
    };
    let reason = CancelReason::Requested { why: "changed my mind".into() };
    let shop = projecting(Orders)
        .at(recorded(0))
        .given("order-5-17", [placed(Some("17850"), Currency::GBP, FIRST)])
        .then_document("5-17", document.clone())
        .at(recorded(1))
        .given("order-5-17", [OrderEvent::SkuReserved { sku: Sku::new("HAT").unwrap() }])
        .then_document("5-17", document.clone())
        .at(recorded(2))
        .given("order-5-17", [OrderEvent::Confirmed { occurred_at: at(SECOND) }]);
    document.status = OrderStatus::Confirmed;
    document.confirmed_at = Some(at(SECOND));
    document.changed_recorded_at = recorded(2);
    let shop = shop.then_document("5-17", document.clone()).at(recorded(3)).given(
        "order-5-17",
        [OrderEvent::Cancelled { reason, customer: None, skus: vec![], occurred_at: at(SECOND) }],
    );
    document.status = OrderStatus::Cancelled;
    document.cancelled_at = Some(at(SECOND));
    document.cancel_reason = Some("changed my mind".into());
    document.changed_recorded_at = recorded(3);
    shop.then_document("5-17", document)
        .given("order-18", [OrderEvent::Delivered { occurred_at: at(SECOND) }])
        .then_refused("18", "order 18 was not placed before its Delivered");
}

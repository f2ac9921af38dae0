use super::*;
use annals::{Issued, testing::reacting};
use chrono::{DateTime, Utc};
use northwind_aggregates::{
    CancelReason, Currency, Line, Order, OrderCommand, OrderEvent, Outcome, ReturnEvent, Sku, StockCommand,
    StockEvent, StockItem,
};

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn line(number: u32, article: &str, quantity: u32) -> Line {
    Line { line: number, sku: sku(article), description: String::new(), quantity, unit_price_minor: 255 }
}

fn lines() -> Vec<Line> {
    vec![line(1, "HAT", 1), line(2, "COAT", 3), line(3, "hat", 4)]
}

fn placed() -> OrderEvent {
    OrderEvent::Placed {
        customer: None,
        country: None,
        currency: Currency::GBP,
        lines: lines(),
        charges: vec![],
        total_minor: 8 * 255,
        occurred_at: DateTime::UNIX_EPOCH,
    }
}

fn to_stock(article: &str, command: StockCommand) -> Issued {
    Issued::to::<StockItem>(&sku(article), command)
}

#[test]
fn an_order_reserves_each_article_once_for_all_of_its_lines() {
    let reserve = |quantity| StockCommand::Reserve { order: "5-17".into(), quantity };
    reacting(ReserveStock)
        .to("order-5-17", placed())
        .issues([to_stock("COAT", reserve(3)), to_stock("HAT", reserve(5))])
        .to("order-5-17", OrderEvent::Confirmed { occurred_at: DateTime::UNIX_EPOCH })
        .issues_nothing();
}

#[test]
fn the_answer_of_the_stock_goes_to_the_order_that_asked() {
    // When the testing kit records.
    let occurred_at: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    let answered = |outcome| {
        let command = OrderCommand::RecordReservation { sku: sku("HAT"), outcome, occurred_at };
        [Issued::to::<Order>("5-17", command)]
    };
    let order = || "5-17".to_string();
    reacting(RecordReservations)
        .to("stock-HAT", StockEvent::Reserved { order: order(), quantity: 5 })
        .issues(answered(Outcome::Reserved))
        .to("stock-HAT", StockEvent::ReservationRefused { order: order(), quantity: 5, available: 2 })
        .issues(answered(Outcome::Refused { available: 2 }))
        .to("stock-HAT", StockEvent::Released { order: order(), quantity: 5 })
        .issues_nothing();
}

#[test]
fn a_stream_that_is_no_article_answers_nobody() {
    let stream = format!("stock-{}", "X".repeat(65));
    reacting(RecordReservations)
        .to(&stream, StockEvent::Reserved { order: "17".into(), quantity: 5 })
        .issues_nothing();
}

#[test]
fn a_cancelled_order_gives_all_of_its_articles_back() {
    let release = || StockCommand::Release { order: "17".into() };
    let reason = CancelReason::OutOfStock { sku: sku("HAT"), asked: 5, available: 2 };
    let skus = vec![sku("COAT"), sku("HAT")];
    reacting(ReleaseStock)
        .to(
            "order-17",
            OrderEvent::Cancelled { reason, customer: None, skus, occurred_at: DateTime::UNIX_EPOCH },
        )
        .issues([to_stock("COAT", release()), to_stock("HAT", release())])
        .to("order-17", placed())
        .issues_nothing();
}

#[test]
fn a_shipped_order_takes_its_pieces_along() {
    let skus = vec![sku("HAT")];
    reacting(ShipStock)
        .to("order-17", OrderEvent::Shipped { skus, occurred_at: DateTime::UNIX_EPOCH })
        .issues([to_stock("HAT", StockCommand::Ship { order: "17".into() })]);
}

#[test]
fn goods_that_come_back_are_received_under_the_number_that_brought_them() {
    let receive = |quantity, reference: &str| StockCommand::Receive { quantity, reference: reference.into() };
    let (currency, occurred_at) = (Currency::GBP, DateTime::UNIX_EPOCH);
    let accepted = ReturnEvent::Accepted {
        customer: None,
        currency,
        lines: lines(),
        charges: vec![],
        refund_minor: 8 * 255,
        occurred_at,
    };
    reacting(RestockReturns)
        .to("return-C17", accepted)
        .issues([to_stock("COAT", receive(3, "C17")), to_stock("HAT", receive(5, "C17"))])
        .to(
            "order-17",
            OrderEvent::Returned { customer: None, lines: vec![line(1, "HAT", 2)], currency, occurred_at },
        )
        .issues([to_stock("HAT", receive(2, "17"))])
        .to("order-17", placed())
        .issues_nothing();
}

use super::*;
use crate::{BillRejection, CHARGES_MAX, Currency, LINES_MAX, MoneyError, TextError};
use annals::testing::{Given, given};

fn at(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_291_191_960 + second, 0).unwrap()
}

fn sku(text: &str) -> Sku {
    Sku::new(text).unwrap()
}

fn line(number: u32, article: &str, quantity: u32, unit_price_minor: i64) -> Line {
    let description = format!("ARTICLE {article}");
    Line { line: number, sku: sku(article), description, quantity, unit_price_minor }
}

fn charge(amount_minor: i64) -> Charge {
    Charge { line: 9, code: "POST".into(), description: "POSTAGE".into(), quantity: 1, amount_minor }
}

fn place(lines: Vec<Line>, charges: Vec<Charge>) -> Command {
    Command::Place {
        customer: Some("17850".into()),
        country: None,
        currency: Currency::GBP,
        lines,
        charges,
        occurred_at: at(0),
    }
}

/// Two hats on two lines, a coat, postage and a discount.
fn two_articles() -> Vec<Line> {
    vec![line(1, "HAT", 1, 255), line(2, "COAT", 3, 339), line(3, "hat", 1, 250)]
}

fn placed() -> Event {
    Event::Placed {
        customer: Some("17850".into()),
        country: None,
        currency: Currency::GBP,
        lines: two_articles(),
        charges: vec![charge(1_800), charge(-100)],
        total_minor: 255 + 3 * 339 + 250 + 1_800 - 100,
        occurred_at: at(0),
    }
}

fn answer(article: &str, outcome: Outcome, second: i64) -> Command {
    Command::RecordReservation { sku: sku(article), outcome, occurred_at: at(second) }
}

fn reserved(article: &str) -> Event {
    Event::SkuReserved { sku: sku(article) }
}

fn cancelled(reason: CancelReason, second: i64) -> Event {
    Event::Cancelled {
        reason,
        customer: Some("17850".into()),
        skus: vec![sku("COAT"), sku("HAT")],
        occurred_at: at(second),
    }
}

fn confirmed() -> Given<Order> {
    given([placed(), reserved("HAT"), reserved("COAT"), Event::Confirmed { occurred_at: at(2) }])
}

fn not_now(asked: &'static str, status: OrderStatus) -> Rejection {
    Rejection::NotNow { asked, status }
}

#[test]
fn the_total_is_the_sum_of_lines_and_charges() {
    given::<Order>([])
        .when(place(two_articles(), vec![charge(1_800), charge(-100)]))
        .then([placed()])
        .when(place(two_articles(), vec![]))
        .then_rejected(Rejection::AlreadyPlaced { status: OrderStatus::Placed });
}

#[test]
fn an_order_is_confirmed_when_all_of_its_articles_are_reserved() {
    given::<Order>([placed()])
        .when(answer("HAT", Outcome::Reserved, 1))
        .then([reserved("HAT")])
        .when(answer("HAT", Outcome::Reserved, 1))
        .then_nothing()
        .when(answer("COAT", Outcome::Reserved, 2))
        .then([reserved("COAT"), Event::Confirmed { occurred_at: at(2) }])
        .when(answer("COAT", Outcome::Refused { available: 0 }, 3))
        .then_nothing();
}

#[test]
fn an_order_is_cancelled_at_the_first_refusal_and_says_the_figures() {
    let reason = CancelReason::OutOfStock { sku: sku("COAT"), asked: 3, available: 2 };
    assert_eq!(reason.to_string(), "only 2 of SKU COAT were free, 3 were asked for");
    given::<Order>([placed(), reserved("HAT")])
        .when(answer("COAT", Outcome::Refused { available: 2 }, 5))
        .then([cancelled(reason, 5)])
        .when(answer("COAT", Outcome::Reserved, 6))
        .then_nothing()
        .when(Command::Cancel { reason: "again".into(), occurred_at: at(7) })
        .then_nothing();
}

#[test]
fn two_lines_of_one_article_are_asked_for_together() {
    given::<Order>([placed()])
        .when(answer("HAT", Outcome::Refused { available: 1 }, 5))
        .then([cancelled(CancelReason::OutOfStock { sku: sku("HAT"), asked: 2, available: 1 }, 5)]);
}

#[test]
fn answers_that_nobody_waits_for_are_rejected() {
    given::<Order>([])
        .when(answer("HAT", Outcome::Reserved, 1))
        .then_rejected(Rejection::NotPlaced)
        .when(Command::Cancel { reason: "no".into(), occurred_at: at(1) })
        .then_rejected(Rejection::NotPlaced);
    given::<Order>([placed()])
        .when(answer("BAG", Outcome::Reserved, 1))
        .then_rejected(Rejection::NotOrdered { sku: sku("BAG") });
}

#[test]
fn an_order_goes_its_way_once() {
    let skus = vec![sku("COAT"), sku("HAT")];
    given::<Order>([placed()])
        .when(Command::Ship { occurred_at: at(3) })
        .then_rejected(not_now("ship", OrderStatus::Placed));
    confirmed()
        .when(Command::Deliver { occurred_at: at(3) })
        .then_rejected(not_now("deliver", OrderStatus::Confirmed))
        .when(Command::Ship { occurred_at: at(3) })
        .then([Event::Shipped { skus, occurred_at: at(3) }])
        .when(Command::Ship { occurred_at: at(4) })
        .then_nothing()
        .when(Command::Cancel { reason: "late".into(), occurred_at: at(4) })
        .then_rejected(not_now("cancel", OrderStatus::Shipped))
        .when(Command::Deliver { occurred_at: at(5) })
        .then([Event::Delivered { occurred_at: at(5) }])
        .when(Command::Return { occurred_at: at(6) })
        .then([Event::Returned {
            customer: Some("17850".into()),
            lines: two_articles(),
            currency: Currency::GBP,
            occurred_at: at(6),
        }])
        .when(Command::Return { occurred_at: at(7) })
        .then_nothing()
        .when(Command::Ship { occurred_at: at(8) })
        .then_rejected(not_now("ship", OrderStatus::Returned));
}

#[test]
fn a_confirmed_order_can_be_called_off() {
    let why = "changed my mind".to_string();
    confirmed()
        .when(Command::Cancel { reason: why.clone(), occurred_at: at(3) })
        .then([cancelled(CancelReason::Requested { why }, 3)])
        .when(Command::Ship { occurred_at: at(4) })
        .then_rejected(not_now("ship", OrderStatus::Cancelled));
}

#[test]
fn what_cannot_be_taken_is_rejected_with_the_figures() {
    let no_quantity = BillRejection::NoQuantity { line: 2, sku: sku("HAT") };
    let price = BillRejection::NegativePrice { line: 1, sku: sku("HAT"), unit_price_minor: -5 };
    let many = vec![line(1, "HAT", 1, 1); LINES_MAX + 1];
    let overflow = MoneyError::Overflow { left: i64::MAX, operator: '*', right: 2 };
    let control = TextError::Control { what: "description", text: "A\nB".into(), at: 1 };
    let broken = Line { description: "A\nB".into(), ..line(1, "HAT", 1, 1) };
    let empty = TextError::Empty { what: "code" };
    let nameless = Charge { code: String::new(), ..charge(1) };
    for (lines, charges, rejection) in [
        (vec![line(2, "HAT", 0, 1)], vec![], no_quantity),
        (vec![line(1, "HAT", 1, -5)], vec![], price),
        (many, vec![], BillRejection::TooManyLines { lines: 1_001 }),
        (two_articles(), vec![charge(1); CHARGES_MAX + 1], BillRejection::TooManyCharges { charges: 101 }),
        (vec![line(1, "HAT", 2, i64::MAX)], vec![], overflow.into()),
        (vec![broken], vec![], control.into()),
        (two_articles(), vec![nameless], empty.into()),
    ] {
        given::<Order>([]).when(place(lines, charges)).then_rejected(rejection.into());
    }
    given::<Order>([]).when(place(vec![], vec![charge(1)])).then_rejected(Rejection::NoLines);
    let price = "line 1: the price of SKU HAT is -5 minor units, at least 0 is needed";
    let rejection = Order::default().decide(&place(vec![line(1, "HAT", 1, -5)], vec![])).unwrap_err();
    assert_eq!(rejection.to_string(), price);
}

#[test]
fn an_amount_may_be_as_large_as_it_can_but_no_larger() {
    let most = vec![line(1, "HAT", 1, i64::MAX)];
    assert!(Order::default().decide(&place(most.clone(), vec![])).is_ok());
    let overflow = MoneyError::Overflow { left: i64::MAX, operator: '+', right: 1 };
    let rejection = Rejection::Bill(overflow.into());
    given::<Order>([]).when(place(most, vec![charge(1)])).then_rejected(rejection);
}

// How it was broken: with LINES_MAX of 2 000 the event has 1.5 MB and the test fails.
#[test]
fn the_largest_order_there_can_be_fits_into_an_event() {
    // Quotes are what JSON doubles; longer escapes are refused with the control characters.
    let longest = |bytes| "\"".repeat(bytes);
    let line = Line {
        line: u32::MAX,
        sku: sku(&longest(crate::SKU_BYTES_MAX)),
        description: longest(crate::NAME_BYTES_MAX),
        quantity: u32::MAX,
        unit_price_minor: i64::MAX / (1 << 50),
    };
    let charge = Charge {
        line: u32::MAX,
        code: longest(crate::SKU_BYTES_MAX),
        description: longest(crate::NAME_BYTES_MAX),
        quantity: i64::MIN,
        amount_minor: i64::MIN / 1_000,
    };
    let command = Command::Place {
        customer: Some(longest(crate::NAME_BYTES_MAX)),
        country: Some(longest(crate::NAME_BYTES_MAX)),
        currency: Currency::GBP,
        lines: vec![line; LINES_MAX],
        charges: vec![charge; CHARGES_MAX],
        occurred_at: at(0),
    };
    let events = Order::default().decide(&command).unwrap();
    let (_, payload) = annals::codec::encode(&events[0]).unwrap();
    // Prices have at most 19 digits where these have 4, so 15 bytes a line are still to come.
    let bytes = payload.bytes() + 15 * LINES_MAX;
    assert!(bytes < annals::PAYLOAD_BYTES_MAX, "{bytes}");
}

#[test]
fn letter_case_makes_no_other_article_and_a_number_too_long_is_refused() {
    assert_eq!(sku("85123a"), sku("85123A"));
    assert_eq!(sku("hut-ß").as_str(), "HUT-SS");
    assert!(Sku::new(&"X".repeat(64)).is_ok());
    assert!(Sku::new(&"X".repeat(65)).is_err());
    // 64 bytes that are 96 in upper case.
    assert!(Sku::new(&"ŉ".repeat(32)).is_err());
    assert!(Sku::new("A\0B").is_err());
}

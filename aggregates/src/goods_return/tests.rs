use super::*;
use crate::{BillRejection, Charge, Currency, Line, Sku};
use annals::testing::given;
use chrono::DateTime;

fn hats() -> Vec<Line> {
    let sku = Sku::new("HAT").unwrap();
    vec![Line { line: 1, sku, description: String::new(), quantity: 2, unit_price_minor: 255 }]
}

fn discount() -> Vec<Charge> {
    vec![Charge {
        line: 2,
        code: "D".into(),
        description: "Discount".into(),
        quantity: 1,
        amount_minor: 2_750,
    }]
}

fn accept(lines: Vec<Line>, charges: Vec<Charge>) -> ReturnCommand {
    let occurred_at = DateTime::UNIX_EPOCH;
    ReturnCommand::Accept { customer: None, currency: Currency::GBP, lines, charges, occurred_at }
}

fn accepted(lines: Vec<Line>, charges: Vec<Charge>, refund_minor: i64) -> ReturnEvent {
    let occurred_at = DateTime::UNIX_EPOCH;
    ReturnEvent::Accepted {
        customer: None,
        currency: Currency::GBP,
        lines,
        charges,
        refund_minor,
        occurred_at,
    }
}

#[test]
fn a_return_is_accepted_once_with_the_sum_of_what_it_holds() {
    let refund = Money::new(3_260, Currency::GBP);
    given::<GoodsReturn>([])
        .when(accept(hats(), discount()))
        .then([accepted(hats(), discount(), 3_260)])
        .when(accept(hats(), vec![]))
        .then_rejected(ReturnRejection::AlreadyAccepted { refund });
}

#[test]
fn a_return_may_credit_charges_alone_but_not_nothing() {
    given::<GoodsReturn>([])
        .when(accept(vec![], vec![]))
        .then_rejected(ReturnRejection::Nothing)
        .when(accept(vec![], discount()))
        .then([accepted(vec![], discount(), 2_750)]);
}

#[test]
fn a_return_asks_of_its_lines_what_an_order_does() {
    let [line] = hats().try_into().unwrap();
    let rejection = BillRejection::NoQuantity { line: 1, sku: line.sku.clone() };
    given::<GoodsReturn>([])
        .when(accept(vec![Line { quantity: 0, ..line }], vec![]))
        .then_rejected(rejection.into());
}

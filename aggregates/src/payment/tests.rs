use super::*;
use crate::Currency;
use annals::testing::given;

fn gbp(minor: i64) -> Money {
    Money::new(minor, Currency::GBP)
}

fn authorised(minor: i64) -> Event {
    Event::Authorised { order: "17".into(), amount: gbp(minor) }
}

fn capture(minor: i64) -> Command {
    Command::Capture { amount: gbp(minor) }
}

fn captured(minor: i64) -> Event {
    Event::Captured { amount: gbp(minor) }
}

fn refund(minor: i64) -> Command {
    Command::Refund { amount: gbp(minor) }
}

fn refunded(minor: i64) -> Event {
    Event::Refunded { amount: gbp(minor) }
}

fn decline() -> Command {
    Command::Decline { reason: "card expired".into() }
}

fn declined() -> Event {
    Event::Declined { reason: "card expired".into() }
}

fn not_now(asked: &'static str, status: PaymentStatus) -> Rejection {
    Rejection::NotNow { asked, status }
}

#[test]
fn no_more_is_captured_than_authorised() {
    given::<Payment>([])
        .when(Command::Authorise { order: "17".into(), amount: gbp(100) })
        .then([authorised(100)])
        .when(capture(60))
        .then([captured(60)])
        .when(capture(41))
        .then_rejected(Rejection::BeyondAuthorised { asked: gbp(41), left: gbp(40) })
        .when(capture(40))
        .then([captured(40)]);
}

#[test]
fn no_more_is_refunded_than_captured() {
    let beyond = Rejection::BeyondCaptured { asked: gbp(31), left: gbp(30) };
    assert_eq!(
        beyond.to_string(),
        "31 minor units of GBP were to be refunded, only 30 minor units of GBP are captured and not refunded yet"
    );
    given::<Payment>([authorised(100), captured(60)])
        .when(refund(30))
        .then([refunded(30)])
        .when(refund(31))
        .then_rejected(beyond)
        .when(refund(30))
        .then([refunded(30)])
        .when(capture(1))
        .then_rejected(not_now("capture", PaymentStatus::Refunded))
        .when(refund(1))
        .then_rejected(not_now("refund", PaymentStatus::Refunded));
}

#[test]
fn a_declined_payment_stays_declined() {
    given::<Payment>([])
        .when(decline())
        .then([declined()])
        .when(decline())
        .then_nothing()
        .when(Command::Authorise { order: "17".into(), amount: gbp(1) })
        .then_rejected(not_now("authorise", PaymentStatus::Declined))
        .when(capture(1))
        .then_rejected(not_now("capture", PaymentStatus::Declined));
    given::<Payment>([authorised(100)]).when(decline()).then([declined()]);
    given::<Payment>([authorised(100), captured(1)])
        .when(decline())
        .then_rejected(not_now("decline", PaymentStatus::Captured));
}

#[test]
fn amounts_are_above_0_and_of_one_currency() {
    let euro = Money::new(5, Currency::EUR);
    let mixed = MoneyError::Currencies { left: Currency::EUR, right: Currency::GBP };
    given::<Payment>([])
        .when(Command::Authorise { order: "17".into(), amount: gbp(0) })
        .then_rejected(Rejection::NotPositive { asked: "authorise", amount: gbp(0) })
        .when(capture(1))
        .then_rejected(not_now("capture", PaymentStatus::New));
    given::<Payment>([authorised(100)])
        .when(capture(-1))
        .then_rejected(Rejection::NotPositive { asked: "capture", amount: gbp(-1) })
        .when(Command::Capture { amount: euro })
        .then_rejected(mixed.into());
}

use super::*;
use crate::TextError;
use annals::testing::given;

fn received(quantity: u64) -> Event {
    Event::Received { quantity, reference: "delivery 1".into() }
}

fn reserve(order: &str, quantity: u64) -> Command {
    Command::Reserve { order: order.into(), quantity }
}

fn reserved(order: &str, quantity: u64) -> Event {
    Event::Reserved { order: order.into(), quantity }
}

fn refused(order: &str, quantity: u64, available: u64) -> Event {
    Event::ReservationRefused { order: order.into(), quantity, available }
}

fn release(order: &str) -> Command {
    Command::Release { order: order.into() }
}

fn released(order: &str, quantity: u64) -> Event {
    Event::Released { order: order.into(), quantity }
}

fn ship(order: &str) -> Command {
    Command::Ship { order: order.into() }
}

fn adjust(delta: i64) -> Command {
    Command::Adjust { delta, reason: String::new() }
}

fn not_adjusted(delta: i64, refusal: AdjustmentRefusal) -> Event {
    Event::AdjustmentRefused { delta, reason: String::new(), refusal }
}

// How it was broken: with `quantity > self.on_hand` in reserve, the third piece is promised twice and the test fails.
#[test]
fn no_piece_is_promised_twice() {
    let item = given::<StockItem>([received(3)])
        .when(reserve("17", 2))
        .then([reserved("17", 2)])
        .when(reserve("18", 2))
        .then([refused("18", 2, 1)])
        .when(reserve("19", 1))
        .then([reserved("19", 1)]);
    assert_eq!((item.state().on_hand(), item.state().reserved(), item.state().free()), (3, 3, 0));
}

#[test]
fn each_order_is_answered_once() {
    given::<StockItem>([received(3)])
        .when(reserve("17", 2))
        .then([reserved("17", 2)])
        .when(reserve("17", 1))
        .then_nothing();
    given::<StockItem>([refused("17", 2, 0), received(3)]).when(reserve("17", 2)).then_nothing();
}

#[test]
fn an_order_that_was_called_off_gets_nothing_later() {
    given::<StockItem>([received(3)])
        .when(release("17"))
        .then([released("17", 0)])
        .when(reserve("17", 2))
        .then_nothing();
    given::<StockItem>([received(3), reserved("17", 2)])
        .when(release("17"))
        .then([released("17", 2)])
        .when(release("17"))
        .then_nothing()
        .when(reserve("17", 2))
        .then_nothing()
        .when(reserve("18", 3))
        .then([reserved("18", 3)]);
    given::<StockItem>([refused("17", 2, 0)]).when(release("17")).then_nothing();
}

#[test]
fn what_is_promised_ships_once() {
    let item = given::<StockItem>([received(3), reserved("17", 2)])
        .when(ship("17"))
        .then([Event::Shipped { order: "17".into(), quantity: 2 }])
        .when(ship("17"))
        .then_nothing()
        .when(release("17"))
        .then_rejected(Rejection::AlreadyShipped { order: "17".into(), quantity: 2 })
        .when(ship("18"))
        .then_rejected(Rejection::NotReserved { order: "18".into() });
    let item = item.state();
    assert_eq!((item.on_hand(), item.reserved(), item.shipped()), (1, 0, 2));
}

#[test]
fn the_count_is_never_corrected_below_what_is_promised() {
    let refusal = AdjustmentRefusal::BelowReserved { on_hand: 5, reserved: 3 };
    assert_eq!(refusal.to_string(), "of 5 pieces on hand 3 are promised to orders");
    given::<StockItem>([received(5), reserved("17", 3)])
        .when(adjust(-3))
        .then([not_adjusted(-3, refusal)])
        .when(adjust(-2))
        .then([Event::Adjusted { delta: -2, reason: String::new() }])
        .when(adjust(0))
        .then_rejected(Rejection::NoQuantity { asked: "adjust" });
    given::<StockItem>([])
        .when(adjust(-1))
        .then([not_adjusted(-1, AdjustmentRefusal::BelowReserved { on_hand: 0, reserved: 0 })])
        .when(adjust(7))
        .then([Event::Adjusted { delta: 7, reason: String::new() }]);
}

#[test]
fn corrections_have_a_limit_each_and_together() {
    let most = PIECES_MAX as i64;
    let too_much = |delta| Rejection::TooMuch { delta };
    assert_eq!(too_much(-1).to_string(), "cannot correct by -1: at most 1000000000000000 are allowed");
    given::<StockItem>([])
        .when(adjust(i64::MIN))
        .then_rejected(too_much(i64::MIN))
        .when(adjust(most + 1))
        .then_rejected(too_much(most + 1))
        .when(adjust(most))
        .then([Event::Adjusted { delta: most, reason: String::new() }])
        .when(adjust(1))
        .then([not_adjusted(1, AdjustmentRefusal::TooMuch { adjusted: most })]);
}

#[test]
fn a_refused_correction_changes_nothing() {
    let refused = not_adjusted(-3, AdjustmentRefusal::BelowReserved { on_hand: 2, reserved: 0 });
    let item = given::<StockItem>([received(2)]).when(adjust(-3)).then([refused]);
    assert_eq!((item.state().on_hand(), item.state().adjusted()), (2, 0));
}

#[test]
fn quantities_have_limits() {
    let receive = |quantity| Command::Receive { quantity, reference: "delivery 1".into() };
    given::<StockItem>([])
        .when(receive(0))
        .then_rejected(Rejection::NoQuantity { asked: "receive" })
        .when(reserve("17", 0))
        .then_rejected(Rejection::NoQuantity { asked: "reserve" })
        .when(reserve("17", u64::MAX))
        .then([refused("17", u64::MAX, 0)])
        .when(receive(PIECES_MAX))
        .then([received(PIECES_MAX)])
        .when(receive(1))
        .then_rejected(Rejection::TooMany { received: PIECES_MAX, quantity: 1 });
}

#[test]
fn an_order_number_that_names_no_stream_is_refused() {
    let longest = "x".repeat(annals::KEY_BYTES_MAX);
    given::<StockItem>([received(3)])
        .when(reserve("", 1))
        .then_rejected(TextError::Empty { what: "order" }.into())
        .when(reserve("a\0b", 1))
        .then_rejected(TextError::Control { what: "order", text: "a\0b".into(), at: 1 }.into())
        .when(release(&"x".repeat(256)))
        .then_rejected(TextError::TooLong { what: "order", bytes: 256, max: 255 }.into())
        .when(reserve(&longest, 1))
        .then([reserved(&longest, 1)])
        .when(reserve("a\nb ☂", 1))
        .then([reserved("a\nb ☂", 1)]);
}

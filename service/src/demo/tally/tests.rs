use super::*;
use annals::{Commit, DomainEvent, EventData, EventId, Expected, Json, MemoryStore, StreamId};
use chrono::DateTime;
use northwind_aggregates::{Currency, Line};

/// A log with whatever it should not hold: the aggregates have no say here.
async fn log(events: &[(&str, ShopEvent)]) -> MemoryStore {
    let store = MemoryStore::new();
    for (key, event) in events {
        match event {
            ShopEvent::Order(event) => append(&store, key, event).await,
            ShopEvent::Stock(event) => append(&store, key, event).await,
        }
    }
    store
}

async fn append<E: DomainEvent>(store: &MemoryStore, key: &str, event: &E) {
    let data = EventData::of(EventId::random(), event, Json::empty()).unwrap();
    let stream = StreamId::new(E::CATEGORY, key).unwrap();
    store.append(Commit::to(stream, Expected::Any, [data])).await.unwrap();
}

fn received(quantity: u64) -> ShopEvent {
    StockEvent::Received { quantity, reference: "test".into() }.into()
}

fn reserved(order: &str, quantity: u64) -> ShopEvent {
    StockEvent::Reserved { order: order.into(), quantity }.into()
}

fn placed(quantity: u32) -> ShopEvent {
    let sku = Sku::new("1A").unwrap();
    let lines = vec![Line { line: 1, sku, description: String::new(), quantity, unit_price_minor: 1 }];
    let (customer, country, charges) = (None, None, vec![]);
    let (currency, total_minor, occurred_at) = (Currency::GBP, 1, DateTime::UNIX_EPOCH);
    OrderEvent::Placed { customer, country, currency, lines, charges, total_minor, occurred_at }.into()
}

fn confirmed() -> ShopEvent {
    OrderEvent::Confirmed { occurred_at: DateTime::UNIX_EPOCH }.into()
}

fn cancelled() -> ShopEvent {
    let reason = CancelReason::OutOfStock { sku: Sku::new("1A").unwrap(), asked: 3, available: 0 };
    OrderEvent::Cancelled { reason, customer: None, skus: vec![], occurred_at: DateTime::UNIX_EPOCH }.into()
}

async fn tally(events: &[(&str, ShopEvent)]) -> Tally {
    Tally::take(&log(events).await, &["1", "2"].map(String::from).into()).await.unwrap()
}

#[tokio::test]
async fn orders_are_counted_if_they_are_of_this_burst() {
    let events = [
        ("1", placed(1)),
        ("2", placed(1)),
        ("elsewhere", placed(1)),
        ("1A", received(9)),
        ("1", confirmed()),
        ("2", cancelled()),
        ("elsewhere", confirmed()),
    ];
    let tally = tally(&events).await;
    assert_eq!((tally.placed, tally.confirmed, tally.out_of_stock, tally.oversold()), (2, 1, 1, 0));
}

#[tokio::test]
async fn what_is_released_can_be_promised_again() {
    let released = StockEvent::Released { order: "1".into(), quantity: 3 };
    let events =
        [("1A", received(3)), ("1A", reserved("1", 3)), ("1A", released.into()), ("1A", reserved("2", 3))];
    assert_eq!(tally(&events).await.oversold(), 0);
}

// The three logs below are what no run of the shop writes: they show that the books would tell.
#[tokio::test]
async fn a_stock_that_promises_more_than_it_has_is_told() {
    let events = [("1A", received(3)), ("1A", reserved("1", 2)), ("1A", reserved("2", 3))];
    assert_eq!(tally(&events).await.oversold(), 2);
}

#[tokio::test]
async fn pieces_that_arrive_only_after_they_were_promised_are_told() {
    let events = [("1A", reserved("1", 2)), ("1A", received(3))];
    assert_eq!(tally(&events).await.oversold(), 2);
}

#[tokio::test]
async fn orders_confirmed_without_a_reservation_are_told() {
    let events =
        [("1A", received(3)), ("1", placed(2)), ("2", placed(2)), ("1", confirmed()), ("2", confirmed())];
    assert_eq!(tally(&events).await.oversold(), 1);
}

use super::*;
use crate::{Order, pieces_by_sku};
use annals::Aggregate;
use std::collections::{BTreeMap, HashSet};

fn terms() -> BurstTerms {
    BurstTerms { orders: 1_000, skus: 20, seed: 1, start: DateTime::UNIX_EPOCH }
}

fn orders(terms: BurstTerms) -> Vec<(String, OrderCommand)> {
    Burst::new(terms).unwrap().orders().collect()
}

#[test]
fn the_same_terms_give_the_same_burst_and_another_seed_another() {
    assert_eq!(orders(terms()), orders(terms()));
    assert_ne!(orders(terms()), orders(BurstTerms { seed: 2, ..terms() }));
}

#[test]
fn each_order_can_be_placed_under_a_number_of_its_own() {
    let mut numbers = HashSet::new();
    for (number, command) in orders(terms()) {
        assert!(numbers.insert(number.clone()), "{number}");
        Order::default().decide(&command).unwrap();
    }
}

#[test]
fn few_articles_are_hot_and_some_run_out() {
    let mut asked: BTreeMap<Sku, u64> = BTreeMap::new();
    for (_, command) in orders(terms()) {
        let OrderCommand::Place { lines, .. } = command else { panic!("{command:?}") };
        for (sku, pieces) in pieces_by_sku(&lines) {
            *asked.entry(sku).or_default() += pieces;
        }
    }
    let total: u64 = asked.values().sum();
    let hottest = asked.values().max().unwrap();
    assert!(hottest * 5 > total, "{hottest} of {total}");
    let short = |(sku, command): (Sku, StockCommand)| {
        let StockCommand::Receive { quantity, .. } = command else { panic!("{command:?}") };
        asked.get(&sku).is_some_and(|pieces| *pieces > quantity)
    };
    let short = Burst::new(terms()).unwrap().opening_stock().filter(|item| short(item.clone())).count();
    assert!((5..=15).contains(&short), "{short} of 20");
}

#[test]
fn terms_have_limits() {
    let error = Burst::new(BurstTerms { orders: 0, ..terms() }).unwrap_err();
    assert_eq!(error.to_string(), "a burst of 0 orders cannot be made: 1 to 10000000 are allowed");
    assert!(Burst::new(BurstTerms { skus: BURST_SKUS_MAX + 1, ..terms() }).is_err());
    assert!(Burst::new(BurstTerms { skus: BURST_SKUS_MAX, orders: BURST_ORDERS_MAX, ..terms() }).is_ok());
    let late = BurstTerms { start: DateTime::<Utc>::MAX_UTC, orders: 2, ..terms() };
    assert_eq!(orders(late).len(), 2);
}

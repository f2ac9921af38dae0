//! Several programs on one file.

use crate::shop::{Shop, at, stream, to};
use annals::{AppendError, Committed, EventStore, Expected, LogFilter, PageLimit, Position, VersionRange};
use std::{error::Error, sync::Arc, time::Instant};

/// C10 for a transaction that writes: reading goes on, and appending goes on when it has ended.
#[tokio::test(flavor = "multi_thread")]
async fn an_open_transaction_that_writes_delays_no_reader() {
    let shop = Shop::new();
    let store = Arc::new(shop.store());
    store.append(to("order-1", Expected::NEW, 2)).await.unwrap();
    let other = shop.raw();
    other.execute_batch("BEGIN IMMEDIATE; DELETE FROM snapshots").unwrap();
    let appending = tokio::spawn({
        let store = store.clone();
        async move { store.append(to("order-1", at(2), 1)).await }
    });
    let events = store.read(&stream("order-1"), VersionRange::ALL, PageLimit::DEFAULT).await.unwrap();
    assert_eq!(events.len(), 2);
    let page = store.read_log(Position::START, PageLimit::DEFAULT, &LogFilter::all()).await.unwrap();
    assert_eq!(page.events.len(), 2);
    assert!(!appending.is_finished());
    other.execute_batch("COMMIT").unwrap();
    assert_eq!(appending.await.unwrap().unwrap().position, Position::new(3));
}

/// Control: with `BUSY_WAIT_MAX` at zero, the append above fails as this one does.
#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_stays_held_is_a_transient_error_that_says_what_to_do() {
    let shop = Shop::new();
    let store = shop.store();
    let other = shop.raw();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    let began = Instant::now();
    let error = store.append(to("order-1", Expected::NEW, 1)).await.unwrap_err();
    assert!(began.elapsed() >= annals_sqlite::BUSY_WAIT_MAX);
    let AppendError::Store(error) = error else { panic!("{error}") };
    assert!(error.is_transient());
    let why = error.source().unwrap().to_string();
    assert!(why.contains("shop.db") && why.contains("another process holds it"), "{why}");
    other.execute_batch("COMMIT").unwrap();
    store.append(to("order-1", Expected::NEW, 1)).await.unwrap();
}

/// Each of two stores knows versions from memory; whoever appends in between makes the other look again. Without
/// `catch_up` in the writer this fails with versions that the log refuses.
#[tokio::test(flavor = "multi_thread")]
async fn two_stores_that_take_turns_see_each_other() {
    let shop = Shop::new();
    let (one, two) = (shop.store(), shop.store());
    for turn in 0..50 {
        for (store, version) in [(&one, 2 * turn), (&two, 2 * turn + 1)] {
            let committed = store.append(to("order-1", at(version), 1)).await.unwrap();
            assert_eq!(committed.position, Position::new(version + 1));
        }
    }
    let conflict = one.append(to("order-1", at(7), 1)).await.unwrap_err();
    assert_eq!(conflict.to_string(), "order-1 is at version 100, not at 7");
}

#[tokio::test(flavor = "multi_thread")]
async fn two_busy_stores_lose_nothing_and_none_is_told_that_the_file_is_locked() {
    const WRITERS: usize = 8;
    const APPENDS: usize = 40;
    let shop = Shop::new();
    let stores = [Arc::new(shop.store()), Arc::new(shop.store())];
    let mut writers = vec![];
    for (s, store) in stores.iter().enumerate() {
        for w in 0..WRITERS {
            let store = store.clone();
            writers.push(tokio::spawn(async move {
                let mut done: Vec<Committed> = vec![];
                for _ in 0..APPENDS {
                    done.push(store.append(to("stock-hat", Expected::Any, 1)).await.unwrap());
                    done.push(store.append(to(&format!("order-{s}-{w}"), Expected::Any, 2)).await.unwrap());
                }
                done
            }));
        }
    }
    let mut positions = vec![];
    for writer in writers {
        positions.extend(writer.await.unwrap().iter().map(|committed| committed.position));
    }
    positions.sort();
    positions.dedup();
    assert_eq!(positions.len(), 2 * 2 * WRITERS * APPENDS);
    let checked = stores[0].check(|_, _| {}).await.unwrap();
    assert_eq!((checked.problems, checked.events as usize), (vec![], 2 * 3 * WRITERS * APPENDS));
}

#[tokio::test]
async fn the_head_follows_what_another_program_appends() {
    let shop = Shop::new();
    let (here, there) = (shop.store(), shop.store());
    let mut head = here.head();
    for turn in 1..=3 {
        there.append(to("order-1", Expected::Any, 1)).await.unwrap();
        head.wait_for(|head| *head == Position::new(turn)).await.unwrap();
    }
    drop(head);
    there.append(to("order-1", Expected::Any, 1)).await.unwrap();
    here.head().wait_for(|head| *head == Position::new(4)).await.unwrap();
}

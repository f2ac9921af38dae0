//! How many statements an append and a page of events cost.

use crate::{
    filling::Filling,
    place::{Place, at, to},
    proxy::Proxy,
};
use annals::{
    Change, DocumentStore, EventStore, Expected, Json, LogFilter, PageLimit, PageWrite, Parked, Position,
    Version,
};
use annals_postgres::{NOTICE_EVERY, PostgresDocuments, PostgresStore};
use chrono::Utc;
use std::{sync::Arc, time::Instant};

/// An append is one round trip, and so is a page of the log; besides, other processes are told now and then.
///
/// Broken on purpose: look a stream up that is remembered, and an append takes two.
#[tokio::test]
async fn an_append_is_one_statement_and_so_is_a_page_of_the_log() {
    const APPENDS: u64 = 200;
    let Some(place) = Place::new() else { return };
    let proxy = Proxy::to(place.address()).await;
    let store = PostgresStore::open(&place.url_at(proxy.port).parse().unwrap()).await.unwrap();
    // What is prepared, is prepared once; in this time the head is asked for once.
    store.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    store.append(to("order-1", at(1), 1)).await.unwrap();
    store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await.unwrap();
    let (before, began) = (proxy.statements(), Instant::now());
    for version in 2..2 + APPENDS {
        store.append(to("order-1", at(version), 1)).await.unwrap();
    }
    let notices = began.elapsed().as_millis() / NOTICE_EVERY.as_millis() + 1;
    let looks = began.elapsed().as_secs() + 2;
    let most = APPENDS + notices as u64 + looks;
    let statements = (proxy.statements() - before) as u64;
    assert!((APPENDS..=most).contains(&statements), "{statements} statements for {APPENDS} appends");

    let (before, began) = (proxy.statements(), Instant::now());
    for _ in 0..APPENDS {
        store.read_log(Position::START, PageLimit::ONE, &LogFilter::all()).await.unwrap();
    }
    let most = APPENDS + began.elapsed().as_secs() + 3;
    let statements = (proxy.statements() - before) as u64;
    assert!((APPENDS..=most).contains(&statements), "{statements} statements for {APPENDS} pages");
}

/// One statement loads a page's documents and one writes them, however many there are.
///
/// Broken on purpose: look the number of the generation up each time, and loading takes two.
#[tokio::test]
async fn a_page_is_loaded_by_one_statement_and_written_by_one() {
    let Some(place) = Place::new() else { return };
    let proxy = Proxy::to(place.address()).await;
    let documents = PostgresDocuments::open(&place.url_at(proxy.port).parse().unwrap()).await.unwrap();
    let mut live = Filling::live(&documents, "orders").await;
    let keys: Vec<Arc<str>> = (0..1_000).map(|n| format!("order {n}").into()).collect();
    // What is prepared, is prepared once.
    documents.load(live.id(), &keys[..1]).await.unwrap();
    live.put(1, &[("order 1", "{}")]).await;
    for round in 2..5 {
        let before = proxy.statements();
        documents.load(live.id(), &keys).await.unwrap();
        assert_eq!(proxy.statements() - before, 1);
        let change = |(n, key): (usize, &Arc<str>)| {
            let put = Change::Put(Json::parse(&format!("[{round}, {n}]")).unwrap());
            (key.clone(), if n % 10 == 0 { Change::Delete } else { put })
        };
        let parked = Parked {
            key: "parked".into(),
            position: Position::new(round),
            stream: crate::place::stream("order-1"),
            version: Version::new(round),
            error: "refused".into(),
            attempts: 1,
            parked_at: Utc::now(),
        };
        let page = PageWrite {
            changes: keys.iter().enumerate().map(change).collect(),
            park: vec![parked],
            settled: vec![("parked".into(), Position::new(round - 1))],
        };
        live.write(round, page).await.unwrap();
        assert_eq!(proxy.statements() - before, 2);
    }
}

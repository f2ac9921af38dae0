//! How many statements a page of events costs.

use crate::{filling::Filling, place::Place, proxy::Proxy};
use annals::{Change, DocumentStore, Json, PageWrite, Parked, Position, Version};
use annals_postgres::PostgresDocuments;
use chrono::Utc;
use std::sync::Arc;

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

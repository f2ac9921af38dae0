//! Rebuilds of all read models at once, beside the runners that keep them up to date.

use crate::{books::assert_same_as_replayed, postgres::schema};
use annals::{LeaseTerms, Rebuild, Runner};
use annals_tests::Shop;
use futures_util::future::try_join_all;
use northwind_aggregates::{Burst, BurstTerms};
use tokio_util::sync::CancellationToken;

/// How often each is rebuilt while orders are placed.
const ROUNDS: u32 = 3;

#[tokio::test(flavor = "multi_thread")]
async fn read_models_are_rebuilt_at_once_while_they_follow() {
    let Some(views) = schema() else { return };
    let dir = tempfile::tempdir().unwrap();
    let shop = Shop::open_with(&dir.path().join("shop.db"), Some(&views)).await.unwrap();
    let stop = CancellationToken::new();
    let subscribers = shop.read_models(&LeaseTerms::default());
    let running = tokio::spawn(Runner::new(shop.store.clone()).with_all(subscribers).run(stop.clone()));
    let placing = {
        let (shop, stop) = (shop.clone(), stop.clone());
        tokio::spawn(async move {
            let terms = BurstTerms { orders: 3_000, skus: 30, seed: 5, start: chrono::DateTime::UNIX_EPOCH };
            let mut placed = 0;
            for (number, command) in Burst::new(terms).unwrap().orders() {
                if stop.is_cancelled() {
                    break;
                }
                shop.place(&number, &command).await.unwrap();
                placed += 1;
            }
            placed
        })
    };
    for _ in 0..ROUNDS {
        let rebuilding = shop.models().into_iter().map(|model| {
            let shop = shop.clone();
            async move {
                let rebuild = Rebuild::new(model, shop.store.clone(), shop.documents.clone());
                rebuild.run(&mut |_| {}).await
            }
        });
        for rebuilt in try_join_all(rebuilding).await.unwrap() {
            assert!(rebuilt.switched, "{rebuilt:?}");
        }
    }
    stop.cancel();
    let placed = placing.await.unwrap();
    running.await.unwrap();
    let documents = assert_same_as_replayed(&shop).await;
    println!(
        "{ROUNDS} rebuilds of six at once; {placed} orders placed meanwhile, {documents} documents as replayed"
    );
}

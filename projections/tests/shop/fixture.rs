//! A shop on a store in memory, and its subscribers delivered page by page.

use annals::{
    Checkpoints, CommandId, Context, DocumentStore, Engine, EventStore, Json, LeaseTerms, MemoryDocuments,
    MemoryStore, PageLimit, Position, Registered, Subscriber,
};
use chrono::DateTime;
use northwind_aggregates::{Burst, BurstTerms, Order, StockItem};
use northwind_projections::policies;
use std::{collections::BTreeMap, sync::Arc};

pub(crate) struct Shop {
    pub(crate) engine: Arc<Engine>,
    pub(crate) store: Arc<MemoryStore>,
    pub(crate) burst: Burst,
}

impl Shop {
    /// With its opening stock received and all orders of a burst placed; no policy has run yet.
    pub(crate) async fn with_burst(orders: u32, skus: u32, seed: u64) -> Self {
        let store = Arc::new(MemoryStore::new());
        let engine = Arc::new(Engine::new(store.clone()));
        let start = DateTime::from_timestamp(1_291_191_960, 0).unwrap();
        let burst = Burst::new(BurstTerms { orders, skus, seed, start }).unwrap();
        for (sku, command) in burst.opening_stock() {
            engine.execute::<StockItem>(&sku, &command, Context::new()).await.unwrap();
        }
        for (number, command) in burst.orders() {
            let context = Context::of(CommandId::of_key(&number));
            engine.execute::<Order>(&number, &command, context).await.unwrap();
        }
        Self { engine, store, burst }
    }

    /// All policies, keeping their places in `places`.
    pub(crate) fn policies(&self, places: &Arc<MemoryDocuments>) -> Vec<Box<dyn Subscriber>> {
        let places: Arc<dyn Checkpoints> = places.clone();
        policies::all(&self.engine, &places)
    }

    /// Runs all policies until none has anything left to do.
    pub(crate) async fn settle(&self, places: &Arc<MemoryDocuments>) {
        let mut policies = self.policies(places);
        let mut before = None;
        while before != Some(self.head()) {
            before = Some(self.head());
            for policy in &mut policies {
                deliver(&*self.store, &mut **policy, PageLimit::DEFAULT, u64::MAX).await;
            }
        }
    }

    pub(crate) fn head(&self) -> Position {
        *self.store.head().borrow()
    }

    /// The documents of a projection that was delivered in pages of `limit`.
    pub(crate) async fn documents(
        &self,
        projection: &Registered,
        limit: PageLimit,
    ) -> BTreeMap<Arc<str>, Json> {
        let documents = Arc::new(MemoryDocuments::new());
        let mut subscriber = projection.live(self.store.clone(), documents.clone(), LeaseTerms::default());
        deliver(&*self.store, &mut *subscriber, limit, u64::MAX).await;
        let (live, _) = documents.live(projection.name()).await.unwrap().unwrap();
        let parked = documents.parked(&live, None, None, PageLimit::ONE).await.unwrap();
        assert!(parked.is_empty(), "{parked:?}");
        documents.documents(&live, None, PageLimit::MAX).await.unwrap().into_iter().collect()
    }
}

/// Delivers up to `pages_max` pages of at most `limit`.
pub(crate) async fn deliver(
    store: &dyn EventStore,
    subscriber: &mut dyn Subscriber,
    limit: PageLimit,
    pages_max: u64,
) {
    let filter = subscriber.filter();
    let mut at = subscriber.begin().await.unwrap();
    for _ in 0..pages_max {
        let page = store.read_log(at, limit, &filter).await.unwrap();
        if page.looked == at {
            break;
        }
        at = page.looked;
        subscriber.handle(&page).await.unwrap();
    }
    subscriber.end().await.unwrap();
}

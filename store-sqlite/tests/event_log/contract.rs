//! The suite that every event store runs, on a file.

use crate::shop::Shop;
use annals::{EventStore, testing::EventStoreHarness};
use annals_sqlite::SqliteStore;
use async_trait::async_trait;
use std::{any::Any, sync::Arc};

struct Sqlite {
    store: Arc<SqliteStore>,
    shop: Shop,
}

#[async_trait]
impl EventStoreHarness for Sqlite {
    async fn open() -> Self {
        let shop = Shop::new();
        Self { store: Arc::new(shop.store()), shop }
    }

    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone()
    }

    async fn second(&self) -> Option<Arc<dyn EventStore>> {
        Some(Arc::new(self.shop.store()))
    }

    async fn reopen(&mut self) -> bool {
        let shop = Shop::new();
        // Closed before it is opened again: the store in between lies elsewhere.
        self.store = Arc::new(shop.store());
        self.store = Arc::new(self.shop.store());
        true
    }

    /// One that reads: SQLite has one writer at a time. `beside.rs` shows what one that writes does.
    async fn unrelated_transaction(&self) -> Option<Box<dyn Any + Send>> {
        let other = self.shop.raw();
        other.execute_batch("BEGIN; SELECT count(*) FROM log").unwrap();
        Some(Box::new(other))
    }
}

annals::event_store_contract!(Sqlite);

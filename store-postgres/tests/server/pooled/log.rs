//! The suite that every event store runs, behind a pooler.

use super::Pooled;
use annals::{EventStore, testing::EventStoreHarness};
use annals_postgres::PostgresStore;
use async_trait::async_trait;
use std::{any::Any, sync::Arc};

struct Log {
    store: Option<Arc<PostgresStore>>,
    pooled: Pooled,
}

async fn open(pooled: &Pooled) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(&pooled.url().parse().unwrap()).await.unwrap())
}

#[async_trait]
impl EventStoreHarness for Log {
    fn missing() -> Option<String> {
        Pooled::missing()
    }

    async fn open() -> Self {
        let pooled = Pooled::new();
        Self { store: Some(open(&pooled).await), pooled }
    }

    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone().unwrap()
    }

    async fn second(&self) -> Option<Arc<dyn EventStore>> {
        Some(open(&self.pooled).await)
    }

    async fn reopen(&mut self) -> bool {
        self.store = None;
        self.store = Some(open(&self.pooled).await);
        true
    }

    async fn unrelated_transaction(&self) -> Option<Box<dyn Any + Send>> {
        let mut other = self.pooled.place.raw().await;
        let begin = "BEGIN; CREATE TABLE unrelated(n integer); INSERT INTO unrelated VALUES (1)";
        sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
        Some(Box::new(other))
    }

    async fn cut_connections(&self) -> bool {
        self.pooled.place.cut().await;
        true
    }
}

annals::event_store_contract!(Log);

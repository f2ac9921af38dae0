//! The suite that every event store runs, on a server.

use crate::place::Place;
use annals::{EventStore, testing::EventStoreHarness};
use annals_postgres::PostgresStore;
use async_trait::async_trait;
use std::{any::Any, sync::Arc};

struct Postgres {
    store: Option<Arc<PostgresStore>>,
    place: Place,
}

#[async_trait]
impl EventStoreHarness for Postgres {
    fn missing() -> Option<String> {
        Place::missing()
    }

    async fn open() -> Self {
        let place = Place::new().unwrap();
        Self { store: Some(Arc::new(place.store().await)), place }
    }

    fn store(&self) -> Arc<dyn EventStore> {
        self.store.clone().unwrap()
    }

    async fn second(&self) -> Option<Arc<dyn EventStore>> {
        Some(Arc::new(self.place.store().await))
    }

    async fn reopen(&mut self) -> bool {
        self.store = None;
        self.store = Some(Arc::new(self.place.store().await));
        true
    }

    async fn unrelated_transaction(&self) -> Option<Box<dyn Any + Send>> {
        let mut other = self.place.raw().await;
        let begin = "BEGIN; CREATE TABLE unrelated(n integer); INSERT INTO unrelated VALUES (1)";
        sqlx::raw_sql(begin).execute(&mut other).await.unwrap();
        Some(Box::new(other))
    }

    async fn cut_connections(&self) -> bool {
        self.place.cut().await;
        true
    }
}

annals::event_store_contract!(Postgres);

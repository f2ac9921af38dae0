//! The suite that every store of documents runs, on a server.

use crate::place::Place;
use annals::{DocumentStore, testing::DocumentStoreHarness};
use annals_postgres::PostgresDocuments;
use async_trait::async_trait;
use std::sync::Arc;

struct Postgres {
    documents: Option<Arc<PostgresDocuments>>,
    place: Place,
}

#[async_trait]
impl DocumentStoreHarness for Postgres {
    fn missing() -> Option<String> {
        Place::missing()
    }

    async fn open() -> Self {
        let place = Place::new().unwrap();
        Self { documents: Some(Arc::new(place.documents().await)), place }
    }

    fn store(&self) -> Arc<dyn DocumentStore> {
        self.documents.clone().unwrap()
    }

    async fn second(&self) -> Option<Arc<dyn DocumentStore>> {
        Some(Arc::new(self.place.documents().await))
    }

    async fn reopen(&mut self) -> bool {
        self.documents = None;
        self.documents = Some(Arc::new(self.place.documents().await));
        true
    }
}

annals::document_store_contract!(Postgres);

//! The suite that every store of documents runs, behind a pooler.

use super::Pooled;
use annals::{DocumentStore, testing::DocumentStoreHarness};
use annals_postgres::PostgresDocuments;
use async_trait::async_trait;
use std::sync::Arc;

struct Documents {
    documents: Option<Arc<PostgresDocuments>>,
    pooled: Pooled,
}

async fn open(pooled: &Pooled) -> Arc<PostgresDocuments> {
    Arc::new(PostgresDocuments::open(&pooled.url().parse().unwrap()).await.unwrap())
}

#[async_trait]
impl DocumentStoreHarness for Documents {
    fn missing() -> Option<String> {
        Pooled::missing()
    }

    async fn open() -> Self {
        let pooled = Pooled::new();
        Self { documents: Some(open(&pooled).await), pooled }
    }

    fn store(&self) -> Arc<dyn DocumentStore> {
        self.documents.clone().unwrap()
    }

    async fn second(&self) -> Option<Arc<dyn DocumentStore>> {
        Some(open(&self.pooled).await)
    }

    async fn reopen(&mut self) -> bool {
        self.documents = None;
        self.documents = Some(open(&self.pooled).await);
        true
    }
}

annals::document_store_contract!(Documents);

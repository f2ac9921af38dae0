//! The store of documents in memory keeps the promises of the contract.

use annals::{DocumentStore, MemoryDocuments, testing::DocumentStoreHarness};
use async_trait::async_trait;
use std::sync::Arc;

struct Memory(Arc<MemoryDocuments>);

#[async_trait]
impl DocumentStoreHarness for Memory {
    async fn open() -> Self {
        Self(Arc::new(MemoryDocuments::new()))
    }

    fn store(&self) -> Arc<dyn DocumentStore> {
        self.0.clone()
    }

    async fn second(&self) -> Option<Arc<dyn DocumentStore>> {
        Some(self.0.clone())
    }
}

annals::document_store_contract!(Memory);

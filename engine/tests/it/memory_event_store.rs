//! The event store in memory keeps the promises of the contract.

use annals::{EventStore, MemoryStore, testing::EventStoreHarness};
use async_trait::async_trait;
use std::sync::Arc;

struct Memory(Arc<MemoryStore>);

#[async_trait]
impl EventStoreHarness for Memory {
    async fn open() -> Self {
        Self(Arc::new(MemoryStore::new()))
    }

    fn store(&self) -> Arc<dyn EventStore> {
        self.0.clone()
    }

    async fn second(&self) -> Option<Arc<dyn EventStore>> {
        Some(self.0.clone())
    }
}

annals::event_store_contract!(Memory);

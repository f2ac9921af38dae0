//! What the suite needs to know about a store of documents.

use crate::DocumentStore;
use async_trait::async_trait;
use std::sync::Arc;

/// Opens stores of documents of one kind for the contract suite. What a kind cannot do keeps its default, and the
/// promises that need it are skipped, out loud.
#[async_trait]
pub trait DocumentStoreHarness: Send + Sync + Sized + 'static {
    /// What is missing to open one at all; then every promise is skipped, out loud.
    fn missing() -> Option<String> {
        None
    }

    /// An empty store of its own: tests run beside each other.
    async fn open() -> Self;

    /// The store.
    fn store(&self) -> Arc<dyn DocumentStore>;

    /// Another one on the same documents, as a second process would open it.
    async fn second(&self) -> Option<Arc<dyn DocumentStore>> {
        None
    }

    /// Closes the store and opens the same documents again; false where nothing outlives a store.
    async fn reopen(&mut self) -> bool {
        false
    }
}

/// The store, and the second one where there is one: races run over both.
pub(super) async fn stores<H: DocumentStoreHarness>(harness: &H) -> Vec<Arc<dyn DocumentStore>> {
    [harness.store()].into_iter().chain(harness.second().await).collect()
}

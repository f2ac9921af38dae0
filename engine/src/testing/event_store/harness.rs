//! What the suite needs to know about a store.

use crate::EventStore;
use async_trait::async_trait;
use std::{any::Any, sync::Arc};

/// Opens stores of one kind for the contract suite. What a kind cannot do keeps its default, and the promises that
/// need it are skipped, out loud.
#[async_trait]
pub trait EventStoreHarness: Send + Sync + Sized + 'static {
    /// What is missing to open one at all; then every promise is skipped, out loud.
    fn missing() -> Option<String> {
        None
    }

    /// Whether positions count 1, 2, 3… without a gap, as on SQL stores.
    const CONTIGUOUS_POSITIONS: bool = true;

    /// An empty store of its own: tests run beside each other.
    async fn open() -> Self;

    /// The store.
    fn store(&self) -> Arc<dyn EventStore>;

    /// Another writer on the same log, as a second process would be one: with a connection, caches and notifications
    /// of its own.
    async fn second(&self) -> Option<Arc<dyn EventStore>> {
        None
    }

    /// Closes the store and opens the same log again; false where nothing outlives a store.
    async fn reopen(&mut self) -> bool {
        false
    }

    /// Begins an unrelated transaction in the same database, that writes and stays open until the answer is dropped.
    async fn unrelated_transaction(&self) -> Option<Box<dyn Any + Send>> {
        None
    }

    /// Cuts the connections that the store has to its database, at once; false where there are none.
    async fn cut_connections(&self) -> bool {
        false
    }
}

/// The store, and the second writer where there is one: races run over both.
pub(super) async fn writers<H: EventStoreHarness>(harness: &H) -> Vec<Arc<dyn EventStore>> {
    [harness.store()].into_iter().chain(harness.second().await).collect()
}

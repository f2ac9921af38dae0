//! The suite that every store of documents runs, on a file.

use super::File;
use annals::{DocumentStore, testing::DocumentStoreHarness};
use annals_sqlite::SqliteDocuments;
use async_trait::async_trait;
use std::sync::Arc;

struct Sqlite {
    store: Arc<SqliteDocuments>,
    file: File,
}

#[async_trait]
impl DocumentStoreHarness for Sqlite {
    async fn open() -> Self {
        let file = File::new();
        Self { store: Arc::new(file.open()), file }
    }

    fn store(&self) -> Arc<dyn DocumentStore> {
        self.store.clone()
    }

    async fn second(&self) -> Option<Arc<dyn DocumentStore>> {
        Some(Arc::new(self.file.open()))
    }

    async fn reopen(&mut self) -> bool {
        // Closed before it is opened again: the store in between lies elsewhere.
        self.store = Arc::new(File::new().open());
        self.store = Arc::new(self.file.open());
        true
    }
}

annals::document_store_contract!(Sqlite);

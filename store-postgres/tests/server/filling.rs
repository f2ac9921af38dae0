//! A runner that fills a generation with documents as a test wants them.

use annals::{
    Change, CheckpointError, Checkpoints, DocumentStore, Json, Lease, LeaseTerms, PageWrite, Position, Step,
    SubscriberId,
};
use annals_postgres::PostgresDocuments;
use std::time::Duration;

/// Holds the lease of one generation.
pub(crate) struct Filling<'a> {
    documents: &'a PostgresDocuments,
    pub(crate) lease: Lease,
}

impl<'a> Filling<'a> {
    pub(crate) async fn live(documents: &'a PostgresDocuments, name: &str) -> Self {
        let id = documents.open(name, 1).await.unwrap();
        Self::of(documents, &id).await
    }

    pub(crate) async fn building(documents: &'a PostgresDocuments, name: &str) -> Self {
        let id = documents.start_rebuild(name, 1).await.unwrap();
        Self::of(documents, &id).await
    }

    async fn of(documents: &'a PostgresDocuments, id: &SubscriberId) -> Self {
        let terms = LeaseTerms { holder: "a test".into(), lasts: Duration::from_secs(60) };
        Self { documents, lease: documents.acquire(id, &terms).await.unwrap() }
    }

    pub(crate) fn id(&self) -> &SubscriberId {
        &self.lease.subscriber
    }

    /// Puts `documents`, as one page that ends at `to`.
    pub(crate) async fn put(&mut self, to: u64, documents: &[(&str, &str)]) {
        let put = |(key, json): &(&str, &str)| ((*key).into(), Change::Put(Json::parse(json).unwrap()));
        let page = PageWrite { changes: documents.iter().map(put).collect(), ..PageWrite::default() };
        self.write(to, page).await.unwrap();
    }

    pub(crate) async fn write(&mut self, to: u64, page: PageWrite) -> Result<(), CheckpointError> {
        let (from, to) = (self.lease.checkpoint, Position::new(to));
        let step = Step { subscriber: self.id().clone(), epoch: self.lease.epoch, from, to };
        self.documents.commit(&step, page).await?;
        self.lease.checkpoint = to;
        Ok(())
    }
}

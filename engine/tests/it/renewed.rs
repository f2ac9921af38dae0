//! Work and its signs of life that want the same few connections.

use annals::{
    CheckpointError, Checkpoints, Lease, LeaseError, LeaseTerms, MemoryDocuments, OpenError, Place, Step,
    StoreError, SubscriberId, SubscriberInfo,
};
use async_trait::async_trait;
use std::{sync::Arc, time::Duration};
use tokio::sync::{Semaphore, watch};

/// A store with one connection.
struct OneConnection {
    sound: MemoryDocuments,
    connection: Arc<Semaphore>,
}

#[async_trait]
impl Checkpoints for OneConnection {
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        self.sound.open(name, version).await
    }

    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        self.sound.acquire(subscriber, terms).await
    }

    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        self.sound.take_over(subscriber, terms).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError> {
        let _connection = self.connection.acquire().await.expect("it is never closed");
        self.sound.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError> {
        self.sound.release(lease).await
    }

    async fn advance(&self, step: &Step) -> Result<(), CheckpointError> {
        self.sound.advance(step).await
    }

    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError> {
        self.sound.report(subscriber, failure).await
    }

    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        self.sound.subscribers().await
    }

    fn moved(&self) -> watch::Receiver<u64> {
        self.sound.moved()
    }
}

/// Broken on purpose, and seen to fail this: work that is not polled while its lease is renewed.
#[tokio::test]
async fn work_goes_on_while_its_lease_is_renewed() {
    let connection = Arc::new(Semaphore::new(1));
    let store = OneConnection { sound: MemoryDocuments::new(), connection: connection.clone() };
    let terms = LeaseTerms { lasts: Duration::from_millis(300), ..LeaseTerms::default() };
    let mut place = Place::live(Arc::new(store), "work", 1).terms(terms);
    place.begin().await.unwrap();
    let work = async {
        let held = connection.acquire().await.unwrap();
        // Longer than a third of the lease: meanwhile the sign of life waits for the connection.
        tokio::time::sleep(Duration::from_millis(200)).await;
        drop(held);
        Ok("done")
    };
    let done = tokio::time::timeout(Duration::from_secs(60), place.renewing(work)).await;
    assert_eq!(done.expect("they wait for each other").unwrap(), "done");
}

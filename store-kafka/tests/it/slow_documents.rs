//! A store of documents that holds up whoever parks, until whoever tries it again has had its chance to be too early;
//! one that fails for a while, or is slow.

use annals::{
    CheckpointError, Checkpoints, CompareError, Comparison, DocumentStore, Json, Lease, LeaseError,
    LeaseTerms, MemoryDocuments, OpenError, PageLimit, PageWrite, Parked, ParkedRequest, Position, Slot,
    Step, StoreError, SubscriberId, SubscriberInfo, SwitchError,
};
use async_trait::async_trait;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};
use tokio::sync::watch;

/// Where there are `others`, the first page that parks is written only when it was asked twice where subscribers stand,
/// or one of them has moved.
pub(crate) struct SlowDocuments {
    pub(crate) inner: Arc<MemoryDocuments>,
    pub(crate) others: Vec<String>,
    pub(crate) asked: AtomicU32,
    /// So many pages cannot be written, be they empty.
    pub(crate) failing: AtomicU32,
    /// So long no page can be written that parks something.
    pub(crate) failing_parks: AtomicBool,
    /// How long each page takes, when it is written.
    pub(crate) page_takes: Duration,
}

impl SlowDocuments {
    /// Holds nobody up; the first `failing` pages cannot be written.
    pub(crate) fn failing(inner: Arc<MemoryDocuments>, failing: u32) -> Self {
        Self { failing: AtomicU32::new(failing), ..Self::taking(inner, Duration::ZERO) }
    }

    /// Takes so long for each page.
    pub(crate) fn taking(inner: Arc<MemoryDocuments>, page_takes: Duration) -> Self {
        Self {
            inner,
            others: vec![],
            asked: Default::default(),
            failing: Default::default(),
            failing_parks: Default::default(),
            page_takes,
        }
    }

    fn fails_for_a_while(&self) -> Result<(), StoreError> {
        let one_less = |left: u32| left.checked_sub(1);
        match self.failing.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less) {
            Ok(_) => Err(StoreError::transient("writing a page", "it fails for a while")),
            Err(_) => Ok(()),
        }
    }

    async fn has_moved(&self) -> bool {
        let all = self.inner.subscribers().await.unwrap();
        let is_other = |info: &&SubscriberInfo| self.others.iter().any(|name| name == info.subscriber.name());
        all.iter().filter(is_other).any(|info| info.checkpoint > Position::START)
    }
}

#[async_trait]
impl Checkpoints for SlowDocuments {
    async fn open(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        self.inner.open(name, version).await
    }

    async fn acquire(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        self.inner.acquire(subscriber, terms).await
    }

    async fn take_over(&self, subscriber: &SubscriberId, terms: &LeaseTerms) -> Result<Lease, LeaseError> {
        self.inner.take_over(subscriber, terms).await
    }

    async fn renew(&self, lease: &Lease) -> Result<(), CheckpointError> {
        self.inner.renew(lease).await
    }

    async fn release(&self, lease: &Lease) -> Result<(), CheckpointError> {
        self.inner.release(lease).await
    }

    async fn advance(&self, step: &Step) -> Result<(), CheckpointError> {
        self.fails_for_a_while()?;
        self.inner.advance(step).await
    }

    async fn report(&self, subscriber: &SubscriberId, failure: Option<&str>) -> Result<(), StoreError> {
        self.inner.report(subscriber, failure).await
    }

    async fn subscribers(&self) -> Result<Vec<SubscriberInfo>, StoreError> {
        self.asked.fetch_add(1, Ordering::Relaxed);
        self.inner.subscribers().await
    }

    fn moved(&self) -> watch::Receiver<u64> {
        self.inner.moved()
    }
}

#[async_trait]
impl DocumentStore for SlowDocuments {
    async fn load(&self, of: &SubscriberId, keys: &[Arc<str>]) -> Result<Vec<Slot>, StoreError> {
        self.inner.load(of, keys).await
    }

    async fn commit(&self, step: &Step, page: PageWrite) -> Result<(), CheckpointError> {
        self.inner.commit(step, page).await
    }

    async fn commit_part(
        &self,
        step: &Step,
        into: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        self.fails_for_a_while()?;
        if !page.park.is_empty() && self.failing_parks.load(Ordering::SeqCst) {
            return Err(StoreError::transient("parking", "it fails for a while").into());
        }
        let holds_up = !page.park.is_empty() && !self.others.is_empty();
        while holds_up && self.asked.load(Ordering::Relaxed) < 2 && !self.has_moved().await {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        self.inner.commit_part(step, into, seen, page).await?;
        tokio::time::sleep(self.page_takes).await;
        Ok(())
    }

    async fn documents(
        &self,
        of: &SubscriberId,
        after: Option<&str>,
        limit: PageLimit,
    ) -> Result<Vec<(Arc<str>, Json)>, StoreError> {
        self.inner.documents(of, after, limit).await
    }

    async fn start_rebuild(&self, name: &str, version: u32) -> Result<SubscriberId, OpenError> {
        self.inner.start_rebuild(name, version).await
    }

    async fn switch(&self, to: &SubscriberId) -> Result<(), SwitchError> {
        self.inner.switch(to).await
    }

    async fn abandon(&self, building: &SubscriberId) -> Result<(), StoreError> {
        self.inner.abandon(building).await
    }

    async fn purge(&self, retired: &SubscriberId, limit: PageLimit) -> Result<bool, StoreError> {
        self.inner.purge(retired, limit).await
    }

    async fn compare(&self, old: &SubscriberId, new: &SubscriberId) -> Result<Comparison, CompareError> {
        self.inner.compare(old, new).await
    }

    async fn parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError> {
        self.inner.parked(of, key, after, limit).await
    }

    async fn request(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError> {
        self.inner.request(of, request).await
    }

    async fn requests(&self, of: &SubscriberId, limit: PageLimit) -> Result<Vec<ParkedRequest>, StoreError> {
        self.inner.requests(of, limit).await
    }
}

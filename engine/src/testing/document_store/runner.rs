//! Who writes in these tests, and what.

use crate::{
    Change, CheckpointError, DocumentStore, Json, Lease, LeaseTerms, PageLimit, PageWrite, Parked, Position,
    Step, StoreError, StreamId, SubscriberId, SubscriberInfo, Version, error_text,
};
use chrono::DateTime;
use std::{collections::BTreeMap, error::Error, sync::Arc, time::Duration};

/// The subscriber of most tests.
pub(super) const ORDERS: &str = "orders";

/// Terms that do not run out while a test runs.
pub(super) fn terms(holder: &str) -> LeaseTerms {
    LeaseTerms { holder: holder.into(), lasts: Duration::from_secs(3_600) }
}

/// What must go well.
pub(super) fn done<T, E: Error + 'static>(outcome: Result<T, E>) -> T {
    outcome.unwrap_or_else(|error| panic!("the store refused or failed: {}", error_text(&error)))
}

/// What must be refused.
pub(super) fn refused<T, E>(outcome: Result<T, E>) -> E {
    match outcome {
        Ok(_) => panic!("the store was to refuse, but did it"),
        Err(error) => error,
    }
}

/// Holds a lease and writes under it.
pub(super) struct Runner {
    pub(super) store: Arc<dyn DocumentStore>,
    pub(super) lease: Lease,
    pub(super) at: Position,
}

impl Runner {
    /// Runs the live generation of [`ORDERS`], in version 1.
    pub(super) async fn live(store: Arc<dyn DocumentStore>) -> Self {
        let id = done(store.open(ORDERS, 1).await);
        Self::of(store, &id).await
    }

    /// Runs this generation.
    pub(super) async fn of(store: Arc<dyn DocumentStore>, id: &SubscriberId) -> Self {
        let lease = done(store.acquire(id, &terms("runner")).await);
        let at = lease.checkpoint;
        Self { store, lease, at }
    }

    pub(super) fn id(&self) -> &SubscriberId {
        &self.lease.subscriber
    }

    /// The step from where it stands to `to`.
    pub(super) fn step(&self, to: u64) -> Step {
        step(&self.lease, self.at, to)
    }

    /// Writes a page and stands at `to`.
    pub(super) async fn write(&mut self, to: u64, page: PageWrite) {
        done(self.store.commit(&self.step(to), page).await);
        self.at = Position::new(to);
    }

    /// Tries to.
    pub(super) async fn try_write(&self, to: u64, page: PageWrite) -> Result<(), CheckpointError> {
        self.store.commit(&self.step(to), page).await
    }

    pub(super) async fn info(&self) -> SubscriberInfo {
        info(&*self.store, self.id()).await
    }

    pub(super) async fn documents(&self) -> BTreeMap<String, String> {
        documents(&*self.store, self.id()).await
    }
}

/// A step under `lease`.
pub(super) fn step(lease: &Lease, from: Position, to: u64) -> Step {
    Step { subscriber: lease.subscriber.clone(), epoch: lease.epoch, from, to: Position::new(to) }
}

/// A page that makes these documents, and deletes those without one.
pub(super) fn page<'a>(changes: impl IntoIterator<Item = (&'a str, Option<&'a str>)>) -> PageWrite {
    let change = |(key, document): (&str, Option<&str>)| {
        let change = document.map_or(Change::Delete, |text| Change::Put(Json::stored(text)));
        (Arc::from(key), change)
    };
    PageWrite { changes: changes.into_iter().map(change).collect(), ..PageWrite::default() }
}

/// A page with one document.
pub(super) fn put(key: &str, document: &str) -> PageWrite {
    page([(key, Some(document))])
}

/// A page that parks.
pub(super) fn park(parked: impl IntoIterator<Item = Parked>) -> PageWrite {
    PageWrite { park: parked.into_iter().collect(), ..PageWrite::default() }
}

/// A page that settles.
pub(super) fn settle<'a>(settled: impl IntoIterator<Item = (&'a str, u64)>) -> PageWrite {
    let place = |(key, position): (&str, u64)| (Arc::from(key), Position::new(position));
    PageWrite { settled: settled.into_iter().map(place).collect(), ..PageWrite::default() }
}

/// An event that was parked under `key`.
pub(super) fn parked(key: &str, position: u64) -> Parked {
    Parked {
        key: key.into(),
        position: Position::new(position),
        stream: StreamId::of(Some("acme"), "order", format!("é-{key}")).expect("a short key"),
        version: Version::new(position + 1),
        error: format!("refused {position}: '\"%\u{202e}😀"),
        attempts: 3,
        parked_at: DateTime::from_timestamp_micros(1_767_225_600_123_456).expect("a time in range"),
    }
}

/// What is known of a generation.
pub(super) async fn info(store: &dyn DocumentStore, id: &SubscriberId) -> SubscriberInfo {
    let all = done(store.subscribers().await);
    all.into_iter().find(|info| info.subscriber == *id).unwrap_or_else(|| panic!("{id} is not listed"))
}

/// All documents of a generation, their JSON in serde's form: a store may keep it in another one.
pub(super) async fn documents(store: &dyn DocumentStore, id: &SubscriberId) -> BTreeMap<String, String> {
    let listed = done(list(store, id, PageLimit::DEFAULT).await);
    listed.into_iter().map(|(key, json)| (key.to_string(), plain(&json))).collect()
}

/// All documents of a generation, page by page.
pub(super) async fn list(
    store: &dyn DocumentStore,
    id: &SubscriberId,
    limit: PageLimit,
) -> Result<Vec<(Arc<str>, Json)>, StoreError> {
    let mut all: Vec<(Arc<str>, Json)> = Vec::new();
    loop {
        let after = all.last().map(|(key, _)| key.clone());
        let page = store.documents(id, after.as_deref(), limit).await?;
        assert!(page.len() <= limit.get(), "a page holds {} of at most {limit:?}", page.len());
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

/// The same JSON in serde's form.
pub(super) fn plain(json: &Json) -> String {
    match json.read::<serde_json::Value>() {
        Ok(value) => value.to_string(),
        Err(error) => panic!("a store gave {json}, which is no JSON: {error}"),
    }
}

/// Documents as a test expects them.
pub(super) fn these<'a>(expected: impl IntoIterator<Item = (&'a str, &'a str)>) -> BTreeMap<String, String> {
    expected.into_iter().map(|(key, text)| (key.to_string(), plain(&Json::stored(text)))).collect()
}

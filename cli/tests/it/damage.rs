//! What a check says of a log of which a part cannot be read.

use crate::counters::{Shop, objects};
use annals::{
    AppendError, Commit, Committed, EventId, EventStore, Json, LogFilter, LogPage, PageLimit, Position,
    RecordedEvent, StoreError, StreamFilter, StreamId, StreamInfo, VersionRange,
};
use annals_cli::{Exit, Stores, operations::check::UNREADABLE_MAX};
use async_trait::async_trait;
use serde_json::Value;
use std::{ops::RangeInclusive, sync::Arc};
use tokio::sync::watch;

/// A store of which some positions cannot be read, and the metadata of one is no JSON.
struct Damaged {
    store: Arc<dyn EventStore>,
    unreadable: RangeInclusive<u64>,
    no_json: u64,
}

#[async_trait]
impl EventStore for Damaged {
    async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        self.store.append(commit).await
    }

    async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        self.store.read(stream, range, limit).await
    }

    async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        self.store.streams(filter, after, limit).await
    }

    async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        let mut page = self.store.read_log(after, limit, filter).await?;
        if page.events.iter().any(|event| self.unreadable.contains(&event.position.get())) {
            return Err(StoreError::permanent("reading the log", "the disk image is malformed"));
        }
        for event in page.events.iter_mut().filter(|event| event.position.get() == self.no_json) {
            event.metadata = Json::stored("{");
        }
        Ok(page)
    }

    async fn committed(
        &self,
        stream: &StreamId,
        first_event: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        self.store.committed(stream, first_event).await
    }

    fn head(&self) -> watch::Receiver<Position> {
        self.store.head()
    }
}

/// What a check finds in a log of `events`, of which the last is of no shape that the program knows.
async fn problems(events: u64, unreadable: RangeInclusive<u64>, no_json: u64) -> Vec<String> {
    let shop = Shop::new().await;
    for _ in 1..events {
        shop.raise("a", 1).await;
    }
    shop.foreign("counter-b", "{}").await;
    let store =
        Arc::new(Damaged { store: shop.stores.store.clone(), unreadable: unreadable.clone(), no_json });
    let shop = Shop::on(Stores::of(store, shop.stores.documents.clone()));
    let (text, done) = shop.run("check --json").await;
    assert_eq!(done.unwrap_err().exit(), Exit::Failed);
    let checked = objects(&text).remove(0);
    let read = (1..=events).filter(|position| !unreadable.contains(position)).count();
    // Unless the reading was given up.
    if unreadable.clone().count() < UNREADABLE_MAX as usize {
        assert_eq!((&checked["events"], &checked["streams"]), (&read.into(), &0.into()));
    }
    assert_eq!(checked["problems_found"], checked["problems"].as_array().unwrap().len());
    let problems = checked["problems"].as_array().unwrap().iter();
    problems.map(Value::as_str).map(|problem| problem.unwrap().to_string()).collect()
}

/// Control: when the first page that fails ends the check, nothing is printed at all.
#[tokio::test]
async fn what_lies_behind_a_damaged_event_is_read_all_the_same() {
    for damaged in [1, 3] {
        let problems = problems(6, damaged..=damaged, 4).await;
        let [walk, unreadable, metadata, unknown] = &problems[..] else { panic!("{problems:?}") };
        assert!(walk.contains("what follows position 0 was not walked"), "{walk}");
        let named = format!("the event behind position {} cannot be read", damaged - 1);
        assert!(unreadable.starts_with(&named) && unreadable.contains("malformed"), "{unreadable}");
        assert!(
            metadata.contains("counter-a at version 4, position 4: its metadata is no JSON"),
            "{metadata}"
        );
        assert!(unknown.contains("counter-b at version 1"), "{unknown}");
    }
}

#[tokio::test]
async fn a_log_whose_end_cannot_be_read_is_read_up_to_there() {
    let problems = problems(6, 5..=6, 0).await;
    let [_, fifth, sixth] = &problems[..] else { panic!("{problems:?}") };
    assert!(fifth.contains("behind position 4") && sixth.contains("behind position 5"), "{problems:?}");
}

#[tokio::test]
async fn reading_ends_after_many_events_that_cannot_be_read() {
    let problems = problems(UNREADABLE_MAX + 20, 2..=UNREADABLE_MAX + 10, 0).await;
    assert_eq!(problems.len() as u64, UNREADABLE_MAX + 1);
    assert!(problems.last().unwrap().contains("what follows was not read"), "{problems:?}");
}

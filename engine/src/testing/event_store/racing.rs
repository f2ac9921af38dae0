//! C2, C4, C5, C6, C7 at once: many writers on hot streams, with wrong versions and repeats, and a reader beside them.

use super::{
    harness::{EventStoreHarness, writers},
    making::{at, events, stream},
    reading::{head_of, log_page, page_of, read, whole_log},
};
use crate::{
    AppendError, Commit, Committed, EventId, EventStore, Expected, LogFilter, PageLimit, Position,
    RecordedEvent, StreamId, Version, VersionRange,
};
use std::{collections::HashMap, sync::Arc};
use tokio::{sync::watch, task::JoinSet};

/// How many writers race, and how many commits each of them gets through.
const WRITERS: usize = 64;
const COMMITS: u64 = 12;

/// How many streams they fight over.
const HOT_STREAMS: u64 = 4;

/// C6: nothing ever appears at or below a position that a reader was told was looked at; besides, of what 64 racing
/// writers were promised, all is in the log and once, at the places they were told, and nothing else is.
pub async fn c6_nothing_appears_behind_a_reader_of_racing_writers<H: EventStoreHarness>() {
    let harness = H::open().await;
    let stores = writers(&harness).await;
    let end = watch::Sender::new(None);
    let mut readers = JoinSet::new();
    for (store, limit) in stores.iter().cycle().zip([1, 7, 1_000]) {
        // The first look is at an empty log, however late the reader gets its turn.
        let looked = log_page(&**store, Position::START, page_of(limit), &LogFilter::all()).await.looked;
        readers.spawn(follow(store.clone(), looked, page_of(limit), end.subscribe()));
    }
    let mut tasks = JoinSet::new();
    for (writer, store) in stores.iter().cycle().take(WRITERS).cloned().enumerate() {
        tasks.spawn(write(store, writer as u64));
    }
    let promised: Vec<Promised> = tasks.join_all().await.into_iter().flatten().collect();
    assert_eq!(promised.len() as u64, WRITERS as u64 * COMMITS);

    end.send_replace(Some(head_of(&*harness.store()).await));
    let log = whole_log(&*harness.store()).await;
    for followed in readers.join_all().await {
        assert_followed(&followed, &places(&log));
    }
    assert_kept(&log, &promised);
    assert_versions(&log);
}

/// A commit that was acknowledged.
struct Promised {
    stream: StreamId,
    ids: Vec<EventId>,
    answer: Committed,
}

/// Gets `COMMITS` commits through, with wrong versions on the way, and sends every third one again.
async fn write(store: Arc<dyn EventStore>, writer: u64) -> Vec<Promised> {
    let mut promised = Vec::new();
    for i in 0..COMMITS {
        let hot = stream(&format!("order-{}", (writer + i) % HOT_STREAMS));
        let new = events(1 + (writer + i) % 3);
        let ids: Vec<_> = new.iter().map(|event| event.id).collect();
        let mut expected = if (writer + i).is_multiple_of(3) { Expected::Any } else { at(i) };
        let answer = loop {
            match store.append(Commit::to(hot.clone(), expected, new.clone())).await {
                Ok(answer) => break answer,
                Err(AppendError::Conflict { actual, .. }) => {
                    assert!(expected != Expected::Exactly(actual), "a conflict over what is as expected");
                    expected = Expected::Exactly(last_version(&*store, &hot).await.max(actual));
                }
                Err(error) => panic!("expected a conflict at most, got {error:?}"),
            }
        };
        assert!(!answer.repeated, "{ids:?} was sent for the first time");
        if i.is_multiple_of(3) {
            // The commit arrives again, with a version that is wrong by now.
            let again = store.append(Commit::to(hot.clone(), Expected::NEW, new)).await;
            let again = again.unwrap_or_else(|error| panic!("a repeat was refused: {error:?}"));
            assert!(again.repeated);
            assert_eq!((&again.streams, again.position), (&answer.streams, answer.position));
        }
        promised.push(Promised { stream: hot, ids, answer });
    }
    promised
}

async fn last_version(store: &dyn EventStore, stream: &StreamId) -> Version {
    let last = read(store.read(stream, VersionRange::ALL.backwards(), PageLimit::ONE).await);
    last.first().map_or(Version::EMPTY, |event| event.version)
}

/// Reads the log behind `after` while others write, until it has seen the end.
async fn follow(
    store: Arc<dyn EventStore>,
    mut after: Position,
    limit: PageLimit,
    mut end: watch::Receiver<Option<Position>>,
) -> Vec<(Position, EventId)> {
    let mut seen = Vec::new();
    loop {
        let page = log_page(&*store, after, limit, &LogFilter::all()).await;
        let at_head = page.is_at_head();
        after = page.looked;
        seen.extend(places(&page.events));
        if let Some(end) = *end.borrow_and_update()
            && after >= end
        {
            return seen;
        }
        if at_head {
            // Not waiting for the head: its notifications have a test of their own.
            tokio::task::yield_now().await;
        }
    }
}

fn places(events: &[RecordedEvent]) -> Vec<(Position, EventId)> {
    events.iter().map(|event| (event.position, event.id)).collect()
}

/// What a reader saw while others wrote is the log; where it is not, the first difference is told.
fn assert_followed(followed: &[(Position, EventId)], log: &[(Position, EventId)]) {
    let differs = (0..followed.len().max(log.len())).find(|&i| followed.get(i) != log.get(i));
    assert!(
        differs.is_none(),
        "a reader beside the writers saw {:?} where the log has {:?}, as event {:?} of {}",
        differs.map(|i| followed.get(i)),
        differs.map(|i| log.get(i)),
        differs,
        log.len()
    );
}

/// All that was acknowledged is there, once, where it was said to be; and nothing else is.
fn assert_kept(log: &[RecordedEvent], promised: &[Promised]) {
    let at: HashMap<EventId, &RecordedEvent> = log.iter().map(|event| (event.id, event)).collect();
    assert_eq!(at.len(), log.len(), "an id is in the log twice");
    assert_eq!(log.len(), promised.iter().map(|commit| commit.ids.len()).sum::<usize>());
    for Promised { stream, ids, answer } in promised {
        let mut version = answer.streams[0].first;
        for id in ids {
            let event = at.get(id).unwrap_or_else(|| panic!("{id} was acknowledged, but is not in the log"));
            assert_eq!((&event.stream, event.version), (stream, version));
            version = version.plus(1);
        }
        let last = at[&ids[ids.len() - 1]];
        assert_eq!((last.version, last.position), (answer.streams[0].last, answer.position));
    }
}

/// Along the log, the versions of each stream are 1, 2, 3…
pub(super) fn assert_versions(log: &[RecordedEvent]) {
    let mut versions: HashMap<&StreamId, Version> = HashMap::new();
    for event in log {
        let last = versions.entry(&event.stream).or_default();
        assert_eq!(event.version, last.plus(1), "in {} at position {}", event.stream, event.position);
        *last = event.version;
    }
}

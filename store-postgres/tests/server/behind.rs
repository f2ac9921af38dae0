//! Several writers that append at once, and write behind each other.

use crate::place::{Place, at, event, number, stream, to};
use annals::{AppendError, Commit, EventStore, Expected, LogFilter, PageLimit, Position};
use annals_postgres::PostgresStore;

/// Two writers, who have each appended right behind the other, so that both write behind others.
async fn two() -> Option<(Place, PostgresStore, PostgresStore)> {
    let place = Place::new()?;
    let (one, other) = (place.store().await, place.store().await);
    one.append(to("order-1", Expected::NEW, 1)).await.unwrap();
    other.append(to("order-2", Expected::NEW, 1)).await.unwrap();
    for n in 1..=3 {
        one.append(to("order-1", at(n), 1)).await.unwrap();
        other.append(to("order-2", at(n), 1)).await.unwrap();
    }
    Some((place, one, other))
}

/// Of each event in the log: its stream and version.
async fn log(store: &PostgresStore) -> Vec<String> {
    let page = store.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap();
    let positions = page.events.iter().map(|event| event.position.get());
    assert!(positions.eq(1..=page.events.len() as u64), "positions are contiguous");
    page.events.iter().map(|event| format!("{}@{}", event.stream, event.version)).collect()
}

/// Streams that begin in one and the same commit, several events of one, two of another, all behind somebody else.
///
/// Control: with `plan.move_behind` left out of `Writer::write_next`, the answer names positions of somebody else.
#[tokio::test]
async fn what_begins_behind_others_is_where_the_answer_says() {
    let Some((_place, one, other)) = two().await else { return };
    other.append(to("order-9", Expected::NEW, 4)).await.unwrap();
    let several = to("order-3", Expected::NEW, 2).and(stream("order-1"), at(4), [event()]).and(
        stream("acme/stock-1"),
        Expected::NEW,
        [event(), event()],
    );
    let written = one.append(several).await.unwrap();
    assert_eq!((written.position, written.repeated), (Position::new(17), false));
    let of_commit = ["order-3@1", "order-3@2", "order-1@5", "acme/stock-1@1", "acme/stock-1@2"];
    assert_eq!(log(&one).await[12..], of_commit);
    // What it remembers of them is right.
    for (name, version) in [("order-3", 2), ("order-1", 5), ("acme/stock-1", 2)] {
        one.append(to(name, at(version), 1)).await.unwrap();
        let conflict = other.append(to(name, at(version), 1)).await.unwrap_err();
        assert_eq!(conflict.to_string(), format!("{name} is at version {}, not at {version}", version + 1));
    }
}

/// A stream that somebody else began since we looked where the log ends is that stream, and none that begins with us:
/// by itself, in one batch with one that begins, and where it is only looked at.
///
/// Control: without the look at ids in `Writer::write_next`, the events of two streams are mixed up.
#[tokio::test]
async fn a_stream_that_somebody_else_began_just_now_is_that_stream() {
    for expected in [at(1), Expected::Any] {
        let Some(place) = Place::new() else { return };
        let (one, other) = (place.store().await, place.store().await);
        one.append(to("order-1", Expected::NEW, 1)).await.unwrap();
        other.append(to("order-2", Expected::NEW, 1)).await.unwrap();
        one.append(to("order-2", expected, 1)).await.unwrap();
        other.append(to("order-3", Expected::NEW, 1)).await.unwrap();
        one.append(to("order-4", Expected::NEW, 1).and(stream("order-3"), expected, [event()]))
            .await
            .unwrap();
        other.append(to("order-5", Expected::NEW, 1)).await.unwrap();
        let (stale, first) = tokio::join!(
            one.append(to("order-5", Expected::NEW, 1)),
            one.append(to("order-6", Expected::NEW, 1))
        );
        assert_eq!(stale.unwrap_err().to_string(), "order-5 is at version 1, not at 0");
        first.unwrap();
        other.append(to("order-7", Expected::NEW, 1)).await.unwrap();
        let (stale, first) =
            tokio::join!(one.append(to("order-7", at(3), 1)), one.append(to("order-8", Expected::NEW, 1)));
        assert_eq!(stale.unwrap_err().to_string(), "order-7 is at version 1, not at 3");
        first.unwrap();
        one.append(to("order-7", expected, 1)).await.unwrap();
        let begun =
            ["order-1@1", "order-2@1", "order-2@2", "order-3@1", "order-4@1", "order-3@2", "order-5@1"];
        let then = ["order-6@1", "order-7@1", "order-8@1", "order-7@2"];
        assert_eq!(log(&one).await, [&begun[..], &then[..]].concat());
    }
}

/// What is remembered of a stream is behind what somebody else appended to it.
///
/// Control: with `Written::Taken` told as an error in `Written::of`, the conflict is no conflict.
#[tokio::test]
async fn a_version_that_somebody_else_took_is_a_conflict() {
    let Some((place, one, other)) = two().await else { return };
    other.append(to("order-1", at(4), 1)).await.unwrap();
    let conflict = one.append(to("order-1", at(4), 1)).await.unwrap_err();
    assert_eq!(conflict.to_string(), "order-1 is at version 5, not at 4");
    other.append(to("order-1", at(5), 2)).await.unwrap();
    assert_eq!(one.append(to("order-1", Expected::Any, 1)).await.unwrap().streams[0].first.get(), 8);
    other.append(to("order-4", Expected::NEW, 1)).await.unwrap();
    let conflict = one.append(to("order-4", Expected::NEW, 1)).await.unwrap_err();
    assert_eq!(conflict.to_string(), "order-4 is at version 1, not at 0");
    one.append(to("order-4", at(1), 1)).await.unwrap();
    let gaps = "SELECT max(position) - count(*) FROM log";
    assert_eq!(number(&mut place.raw().await, gaps).await, 0);
}

/// A commit that another writer stored already is answered as it was, and an id that stands elsewhere is told.
///
/// Control: with `Written::Taken` told as an error in `Written::of`, the repeat fails.
#[tokio::test]
async fn an_event_that_somebody_else_stored_is_not_stored_again() {
    let Some((_place, one, other)) = two().await else { return };
    let commit = Commit::to(stream("order-2"), at(4), [event(), event()]);
    let first = other.append(commit.clone()).await.unwrap();
    let mut again = one.append(commit.clone()).await.unwrap();
    assert!(std::mem::take(&mut again.repeated));
    assert_eq!(again, first);
    let moved = Commit::to(stream("order-5"), Expected::NEW, commit.writes()[0].events.clone());
    assert!(matches!(one.append(moved).await, Err(AppendError::DuplicateId { .. })));
    assert_eq!(log(&one).await.len(), 10);
}

/// Many at once, on streams of their own and on those that whoever comes first begins: whoever waits for its turn gets
/// it, and nothing is lost or mixed up.
///
/// Control: without the lock in `0014_append_in_turn.sql`, an append fails.
#[tokio::test]
async fn four_writers_at_once_get_all_their_events_in() {
    const EACH: u64 = 100;
    let Some((place, ..)) = two().await else { return };
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..4 {
        let store = place.store().await;
        writers.spawn(async move {
            for n in 0..EACH {
                let begins = to(&format!("order-{writer}x{n}"), Expected::NEW, 1);
                let commit = begins.and(stream(&format!("order-{writer}y")), at(n), [event()]);
                let commit = commit.and(stream(&format!("order-z{n}")), Expected::Any, [event()]);
                let written = store.append(commit).await.unwrap();
                assert_eq!(written.streams[1].first.get(), n + 1);
            }
        });
    }
    while let Some(done) = writers.join_next().await {
        done.unwrap();
    }
    let mut raw = place.raw().await;
    let events = number(&mut raw, "SELECT count(*) FROM log").await;
    assert_eq!(events, 8 + 4 * 3 * EACH as i64);
    assert_eq!(number(&mut raw, "SELECT max(position) FROM log").await, events);
    let broken = "SELECT count(*) FROM log l WHERE version > 1 AND NOT EXISTS (SELECT FROM log q WHERE q.stream = \
                  l.stream AND q.version = l.version - 1) OR version = 1 AND stream <> position OR NOT EXISTS \
                  (SELECT FROM streams s WHERE s.id = l.stream)";
    assert_eq!(number(&mut raw, broken).await, 0);
    let back = "SELECT count(*) FROM log l JOIN log q ON q.position = l.position + 1 WHERE q.recorded_at < l.recorded_at";
    assert_eq!(number(&mut raw, back).await, 0, "time went back");
}

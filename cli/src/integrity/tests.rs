use super::*;
use annals::{EventData, EventId, Json, PlaceInCommit};

fn event(stream: &str, version: u64, position: u64, index: u32, size: u32, second: i64) -> RecordedEvent {
    RecordedEvent::new(
        stream.parse().unwrap(),
        Version::new(version),
        Position::new(position),
        PlaceInCommit { index, size },
        DateTime::from_timestamp(second, 0).unwrap(),
        EventData::raw(EventId::random(), "Happened", 1, Json::empty()),
    )
}

fn walked(events: &[RecordedEvent]) -> Walked {
    walked_as(Positions::Rising, events)
}

fn walked_as(positions: Positions, events: &[RecordedEvent]) -> Walked {
    let mut walk = Walk::of(positions);
    events.iter().for_each(|event| walk.take(event));
    walk.end(events.last().map_or(Position::START, |event| event.position))
}

#[test]
fn a_whole_log_has_no_problem() {
    let log = [event("a-1", 1, 1, 0, 2, 1), event("b-1", 1, 2, 1, 2, 1), event("a-1", 2, 9, 0, 1, 2)];
    let found = walked(&log);
    assert_eq!((found.events, found.streams, found.problems), (3, 2, vec![]));
}

/// Taking the look at what follows, or at the end, out makes its line fail.
#[test]
fn where_positions_are_contiguous_none_is_left_out() {
    let (first, second) = (event("a-1", 1, 1, 0, 1, 1), event("a-1", 2, 2, 0, 1, 1));
    let later = |position| event("a-1", 2, position, 0, 1, 1);
    let contiguous = |log: &[RecordedEvent]| walked_as(Positions::Contiguous, log).problems;
    assert_eq!(contiguous(&[first.clone(), second]), Vec::<String>::new());
    assert_eq!(contiguous(&[first.clone(), later(3)]), ["position 3 follows 1"]);
    assert_eq!(contiguous(&[event("a-1", 1, 2, 0, 1, 1)]), ["position 2 follows 0"]);
    let mut walk = Walk::of(Positions::Contiguous);
    walk.take(&first);
    assert_eq!(walk.end(Position::new(3)).problems, ["the log ends at 3, and nothing is shown behind 1"]);
}

/// Each log breaks one promise; taking the check of that promise out makes its line fail.
#[test]
fn every_broken_promise_is_found() {
    for (broken, log) in [
        ("position 1 follows 1", vec![event("a-1", 1, 1, 0, 1, 1), event("b-1", 1, 1, 0, 1, 1)]),
        ("a-1 has version 3 at position 2", vec![event("a-1", 1, 1, 0, 1, 1), event("a-1", 3, 2, 0, 1, 1)]),
        ("a-1 has version 2 at position 1", vec![event("a-1", 2, 1, 0, 1, 1)]),
        ("position 2 was recorded before", vec![event("a-1", 1, 1, 0, 1, 2), event("a-1", 2, 2, 0, 1, 1)]),
        (
            "place 0 of a commit of 1, where place 1 was due",
            vec![event("a-1", 1, 1, 0, 2, 1), event("a-1", 2, 2, 0, 1, 1)],
        ),
        ("place 1 of a commit of 3", vec![event("a-1", 1, 1, 0, 2, 1), event("a-1", 2, 2, 1, 3, 1)]),
        ("the log ends at 1, where place 1 of a commit was due", vec![event("a-1", 1, 1, 0, 2, 1)]),
    ] {
        let found = walked(&log);
        assert!(found.problems.iter().any(|problem| problem.contains(broken)), "{broken}: {found:?}");
        assert_eq!(found.problems_found, found.problems.len() as u64);
    }
}

#[test]
fn the_list_of_problems_has_an_end_and_the_count_has_none() {
    let log: Vec<_> = (0..PROBLEMS_MAX as u64 + 5).map(|_| event("a-1", 7, 1, 0, 1, 1)).collect();
    let found = walked(&log);
    assert_eq!(found.problems.len(), PROBLEMS_MAX);
    assert!(found.problems_found > PROBLEMS_MAX as u64);
}

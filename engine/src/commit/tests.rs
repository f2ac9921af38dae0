use super::*;
use crate::Json;

fn event(payload_bytes: usize) -> EventData {
    let text = format!("\"{}\"", "x".repeat(payload_bytes - 2));
    EventData::raw(EventId::random(), "Counted", 1, Json::stored(text))
}

fn to(key: &str, events: Vec<EventData>) -> Commit {
    Commit::to(StreamId::new("stock", key).unwrap(), Expected::Any, events)
}

#[test]
fn limits_hold_exactly() {
    let check = |events| to("hat", events).check();
    assert!(check(vec![event(PAYLOAD_BYTES_MAX)]).is_ok());
    let error = check(vec![event(PAYLOAD_BYTES_MAX + 1)]).unwrap_err();
    assert_eq!(error.to_string(), "1048577 payload bytes, at most 1048576 are allowed");

    assert!(check((0..COMMIT_EVENTS_MAX).map(|_| event(2)).collect()).is_ok());
    assert!(matches!(
        check((0..=COMMIT_EVENTS_MAX).map(|_| event(2)).collect()),
        Err(AppendError::TooLarge { what: "events", .. })
    ));

    let fits = PAYLOAD_BYTES_MAX - Json::empty().bytes();
    assert!(check((0..4).map(|_| event(fits)).collect()).is_ok());
    assert!(matches!(
        check((0..4).map(|_| event(fits)).chain([event(2)]).collect()),
        Err(AppendError::TooLarge { what: "bytes in a commit", .. })
    ));

    let with = |bytes| event(2).with_metadata(Json::stored("x".repeat(bytes)));
    assert!(check(vec![with(METADATA_BYTES_MAX)]).is_ok());
    assert!(check(vec![with(METADATA_BYTES_MAX + 1)]).is_err());
}

#[test]
fn a_commit_without_sense_is_malformed() {
    for commit in [
        to("hat", vec![]),
        to("hat", vec![event(2)]).and(StreamId::new("stock", "scarf").unwrap(), Expected::Any, []),
        to("hat", vec![event(2)]).and(StreamId::new("stock", "hat").unwrap(), Expected::Any, [event(2)]),
        to("hat", vec![EventData::raw(EventId::random(), "", 1, Json::empty())]),
        to("hat", vec![EventData::raw(EventId::random(), "a\0b", 1, Json::empty())]),
        to("hat", vec![EventData::raw(EventId::random(), &*"t".repeat(256), 1, Json::empty())]),
        to("hat", vec![EventData::raw(EventId::random(), "Counted", 0, Json::empty())]),
    ] {
        assert!(matches!(commit.check(), Err(AppendError::Malformed { .. })), "{commit:?}");
    }
}

#[test]
fn one_id_stands_once_in_a_commit() {
    let twice = event(2);
    let commit = to("hat", vec![twice.clone(), twice]);
    assert!(matches!(commit.check(), Err(AppendError::DuplicateId { .. })));
}

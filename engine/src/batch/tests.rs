use super::*;
use crate::{
    AppendError, Commit, Committed, EventData, EventId, Expected, Json, Position, StoreError, StreamId,
    Version,
};
use chrono::{DateTime, Utc};
use std::convert::Infallible;

fn stream(name: &str) -> StreamId {
    name.parse().unwrap()
}

fn event() -> EventData {
    EventData::raw(EventId::random(), "Counted", 1, Json::empty())
}

fn to(name: &str, expected: Expected, events: usize) -> Commit {
    Commit::to(stream(name), expected, (0..events).map(|_| event()))
}

fn at(version: u64) -> Expected {
    Expected::Exactly(Version::new(version))
}

fn plan<'a>(known: &Known, commits: &'a [Commit], clock: DateTime<Utc>) -> Plan<'a> {
    let Ok(plan) = known.plan(commits, clock, |_| Ok::<_, Infallible>(StreamAt::default()));
    plan
}

fn said(verdict: &Verdict<'_>) -> String {
    match verdict.answer() {
        Ok(Committed { streams, position, .. }) => {
            let written: Vec<_> =
                streams.iter().map(|w| format!("{} {}-{}", w.stream, w.first, w.last)).collect();
            format!("{} @{position}", written.join(", "))
        }
        Err(error) => error.to_string(),
    }
}

#[test]
fn appends_of_one_batch_see_each_other() {
    let known = Known::new(Position::new(10), DateTime::UNIX_EPOCH);
    let commits = [
        to("order-1", Expected::NEW, 2),
        to("order-1", at(2), 1),
        to("order-1", at(2), 1),
        to("order-1", Expected::Any, 1).and(stream("order-2"), Expected::NEW, [event(), event()]),
        to("order-2", Expected::NEW, 1),
    ];
    let plan = plan(&known, &commits, Utc::now());
    assert_eq!(
        plan.verdicts.iter().map(said).collect::<Vec<_>>(),
        [
            "order-1 1-2 @12",
            "order-1 3-3 @13",
            "order-1 is at version 3, not at 2",
            "order-1 4-4, order-2 1-2 @16",
            "order-2 is at version 2, not at 0",
        ]
    );
    assert_eq!(plan.head(), Position::new(16));
    let rows: Vec<_> = plan
        .accepted()
        .flat_map(Accepted::rows)
        .map(|r| (r.position.get(), r.stream.get(), r.version.get(), r.commit.index, r.commit.size))
        .collect();
    let expected = [
        (11, 11, 1, 0, 2),
        (12, 11, 2, 1, 2),
        (13, 11, 3, 0, 1),
        (14, 11, 4, 0, 3),
        (15, 15, 1, 1, 3),
        (16, 15, 2, 2, 3),
    ];
    assert_eq!(rows, expected, "a stream is known by the position of its first event");
    let new: Vec<_> = plan.accepted().flat_map(Accepted::new_streams).map(|(_, id)| id.get()).collect();
    assert_eq!(new, [11, 15]);
}

#[test]
fn a_plan_that_was_carried_out_behind_others_is_moved_behind_them() {
    let mut known = Known::new(Position::new(10), DateTime::UNIX_EPOCH);
    let old = StreamAt { id: Position::new(4), version: Version::new(1) };
    let commits = [to("order-1", at(1), 1), to("order-2", Expected::NEW, 2), to("order-2", at(2), 1)];
    let look_up =
        |id: &StreamId| Ok::<_, Infallible>(if id.as_str() == "order-1" { old } else { StreamAt::default() });
    let Ok(mut plan) = known.plan(&commits, Utc::now(), look_up);
    assert_eq!(plan.begins_behind(), Position::new(10));
    plan.move_behind(Position::new(17));
    assert_eq!((plan.begins_behind(), plan.head()), (Position::new(17), Position::new(21)));
    let said: Vec<_> = plan.verdicts.iter().map(said).collect();
    assert_eq!(said, ["order-1 2-2 @18", "order-2 1-2 @20", "order-2 3-3 @21"]);
    let rows = plan.accepted().flat_map(Accepted::rows).map(|r| (r.position.get(), r.stream.get()));
    assert_eq!(rows.collect::<Vec<_>>(), [(18, 4), (19, 19), (20, 19), (21, 19)]);
    known.confirm(&plan);
    let left = |name: &str| known.stream(&stream(name)).map(|at| (at.id.get(), at.version.get()));
    assert_eq!(known.head(), Position::new(21));
    assert_eq!((left("order-1"), left("order-2")), (Some((4, 2)), Some((19, 3))));
}

#[test]
fn only_what_was_carried_out_is_remembered() {
    let mut known = Known::new(Position::START, DateTime::UNIX_EPOCH);
    let commits = [to("order-1", Expected::NEW, 2)];
    drop(plan(&known, &commits, Utc::now()));
    assert_eq!((known.head(), known.stream(&stream("order-1"))), (Position::START, None));
    let carried_out = plan(&known, &commits, Utc::now());
    known.confirm(&carried_out);
    let left = StreamAt { id: Position::new(1), version: Version::new(2) };
    assert_eq!((known.head(), known.stream(&stream("order-1"))), (Position::new(2), Some(left)));
    known.forget(Position::new(7), Utc::now());
    assert_eq!((known.head(), known.stream(&stream("order-1"))), (Position::new(7), None));
}

#[test]
fn time_never_runs_backwards() {
    let mut known = Known::new(Position::START, DateTime::UNIX_EPOCH);
    let clock = |micros: i64| DateTime::from_timestamp_nanos(micros * 1_000 + 7);
    let times: Vec<_> = [50, 20, 60]
        .map(|micros| {
            let commits = [to("order-1", Expected::Any, 1)];
            let plan = plan(&known, &commits, clock(micros));
            known.confirm(&plan);
            plan.recorded_at.timestamp_micros()
        })
        .into();
    assert_eq!(times, [50, 50, 60]);
}

async fn in_line(count: usize, make: impl Fn(usize) -> Commit) -> (Intake, Vec<Answered>) {
    let (appends, intake) = queue();
    let appends = std::sync::Arc::new(appends);
    let mut answered = vec![];
    for i in 0..count {
        let (appends, commit) = (appends.clone(), make(i));
        answered.push(tokio::spawn(async move { appends.append(commit).await }));
        while intake.waiting() <= i {
            tokio::task::yield_now().await;
        }
    }
    (intake, answered)
}

type Answered = tokio::task::JoinHandle<Result<Committed, AppendError>>;

#[tokio::test]
async fn a_batch_holds_what_waits_and_answers_each() {
    let (mut intake, answered) = in_line(3, |i| to(&format!("order-{i}"), Expected::NEW, 1)).await;
    let batch = intake.next().await.unwrap();
    assert_eq!(batch.appends.len(), 3);
    let answers = batch.appends.into_iter().enumerate().map(|(i, pending)| {
        let position = Position::new(i as u64);
        (pending, Ok(Committed::new(vec![], position, false)))
    });
    intake.answer(answers.collect());
    for (i, answered) in answered.into_iter().enumerate() {
        assert_eq!(answered.await.unwrap().unwrap().position, Position::new(i as u64));
    }
}

/// Without the set of ids in `seal` the two stand in one batch.
#[tokio::test]
async fn the_same_ids_wait_for_the_next_batch() {
    let twice = to("order-1", Expected::Any, 2);
    let (mut intake, _answered) = in_line(3, |_| twice.clone()).await;
    for _ in 0..3 {
        assert_eq!(intake.next().await.unwrap().appends.len(), 1);
    }
}

#[tokio::test]
async fn a_batch_ends_at_its_limits_and_keeps_the_order() {
    let (mut intake, _answered) = in_line(6, |i| to(&format!("order-{i}"), Expected::NEW, 1_000)).await;
    let names = |batch: Batch| -> Vec<_> {
        batch.appends.iter().map(|p| p.commit.writes()[0].stream.key().to_string()).collect()
    };
    assert_eq!(names(intake.next().await.unwrap()), ["0", "1", "2", "3"], "{BATCH_EVENTS_MAX} events");
    assert_eq!(names(intake.next().await.unwrap()), ["4", "5"]);

    let large = || {
        let payload = Json::stored(format!("{:?}", "x".repeat((1 << 20) - 4)));
        EventData::raw(EventId::random(), "Counted", 1, payload)
    };
    let (mut intake, _answered) =
        in_line(5, |i| Commit::to(stream(&format!("order-{i}")), Expected::NEW, [large(), large()])).await;
    assert_eq!(names(intake.next().await.unwrap()), ["0", "1", "2", "3"], "{BATCH_BYTES_MAX} bytes");
    assert_eq!(names(intake.next().await.unwrap()), ["4"]);
}

#[tokio::test]
async fn what_is_no_commit_never_gets_in_line() {
    let (appends, mut intake) = queue::<()>();
    let error = appends.append(to("order-1", Expected::Any, 0)).await.unwrap_err();
    assert!(matches!(error, AppendError::Malformed { .. }));
    drop(appends);
    assert!(intake.next().await.is_none());
}

#[tokio::test]
async fn a_writer_that_ended_says_so() {
    let said = |error: AppendError| {
        let AppendError::Store(error) = error else { panic!("{error}") };
        assert!(!StoreError::is_transient(&error));
        std::error::Error::source(&error).unwrap().to_string()
    };
    let (appends, intake) = queue::<()>();
    drop(intake);
    let error = appends.append(to("order-1", Expected::Any, 1)).await.unwrap_err();
    assert!(said(error).contains("the writer of the store has ended"));

    let (mut intake, answered) = in_line(1, |_| to("order-1", Expected::Any, 1)).await;
    drop(intake.next().await.unwrap());
    let error = answered.into_iter().next().unwrap().await.unwrap().unwrap_err();
    assert!(said(error).contains("it is recognised if it arrived"));
}

#[test]
fn a_writer_on_a_thread_takes_what_tasks_send() {
    let (appends, mut intake) = queue::<()>();
    let writer = std::thread::spawn(move || {
        let mut batches = 0;
        while let Some(batch) = intake.next_blocking() {
            batches += 1;
            let done = |p| (p, Ok(Committed::new(vec![], Position::new(9), false)));
            intake.answer(batch.appends.into_iter().map(done).collect());
        }
        batches
    });
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).build().unwrap();
    runtime.block_on(async {
        let appends = std::sync::Arc::new(appends);
        let senders: Vec<_> = (0..32)
            .map(|i| {
                let appends = appends.clone();
                tokio::spawn(async move {
                    for _ in 0..50 {
                        appends.append(to(&format!("order-{i}"), Expected::Any, 1)).await.unwrap();
                    }
                })
            })
            .collect();
        for sender in senders {
            sender.await.unwrap();
        }
    });
    assert!((50..=1_600).contains(&writer.join().unwrap()));
}

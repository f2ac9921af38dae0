//! Two processes append to one log in PostgreSQL, two more stores send wrong versions and repeats, and another follows.

use crate::{
    ledger::{Ledger, disorder, whole_log},
    postgres::schema,
    process::{LINE_MAX, Process},
    seed::rng,
    two_processes::{COMMANDS, follow, receive},
};
use annals::{AppendError, Commit, EventData, EventId, EventStore, Expected, Json, StreamId, Version};
use annals_postgres::PostgresStore;
use annals_tests::Report;
use fastrand::Rng;
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// How many commits each of the two other stores sends, some of them more than once.
const SENT: u64 = 600;

/// On how few streams they meet.
const STREAMS: u64 = 3;

async fn open(log: &str) -> Arc<PostgresStore> {
    Arc::new(PostgresStore::open(&log.parse().unwrap()).await.unwrap())
}

/// What became of what was sent.
#[derive(Debug, Default)]
struct Sent {
    /// Each acknowledged event: stream, version and position.
    written: Vec<(EventId, StreamId, u64, u64)>,
    refused: Vec<EventId>,
    repeated: u64,
}

/// Sends commits that expect the version seen last, a wrong one, or any; and every fourth one again.
async fn send(store: Arc<PostgresStore>, mut rng: Rng) -> Sent {
    let (mut sent, mut seen) = (Sent::default(), [0; STREAMS as usize]);
    for _ in 0..SENT {
        let number = rng.u64(0..STREAMS);
        let at = &mut seen[number as usize];
        let stream: StreamId = format!("met-{number}").parse().unwrap();
        let expected = match rng.u8(0..4) {
            0 => Expected::Any,
            1 => Expected::Exactly(Version::new(*at + rng.u64(1..4))),
            _ => Expected::Exactly(Version::new(*at)),
        };
        let event = EventData::raw(EventId::random(), "Met", 1, Json::empty());
        let (id, commit) = (event.id, Commit::to(stream.clone(), expected, [event]));
        match store.append(commit.clone()).await {
            Ok(done) => {
                *at = done.streams[0].last.get();
                sent.written.push((id, stream, *at, done.position.get()));
                if rng.u8(0..4) == 0 {
                    let again = store.append(commit).await.unwrap();
                    assert!(again.repeated, "a repeat was written as new");
                    assert_eq!((again.position, again.streams), (done.position, done.streams));
                    sent.repeated += 1;
                }
            }
            Err(AppendError::Conflict { actual, .. }) => {
                *at = actual.get();
                sent.refused.push(id);
            }
            Err(error) => panic!("{error}"),
        }
    }
    sent
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_and_two_stores_append_and_each_acknowledged_event_is_there_once() {
    let Some(log) = schema() else { return };
    let (mut rng, store, ended) = (rng(), open(&log).await, CancellationToken::new());
    let following = tokio::spawn(follow(store.clone(), ended.clone(), 2 * COMMANDS));
    let mut processes = [receive(&log, "left"), receive(&log, "right")];
    processes.iter_mut().for_each(|process: &mut Process| process.tell("begin"));
    let sending = [open(&log).await, open(&log).await].map(|store| tokio::spawn(send(store, rng.fork())));
    let mut ledger = Ledger::default();
    for process in &mut processes {
        let rest = tokio::task::block_in_place(|| process.rest());
        rest.iter().for_each(|report| ledger.take(report));
        assert!(process.ended().success(), "{:#?}", rest.last());
        assert_eq!(rest.last(), Some(&Report::Finished));
    }
    let mut all = Sent::default();
    for sent in sending {
        let sent = sent.await.unwrap();
        all.written.extend(sent.written);
        all.refused.extend(sent.refused);
        all.repeated += sent.repeated;
    }
    let whole = whole_log(&*store).await;
    ended.cancel();
    let seen =
        tokio::time::timeout(LINE_MAX, following).await.expect("the follower comes to the end").unwrap();
    assert_eq!(disorder(&seen), Vec::<String>::new(), "as the follower saw it");
    assert_eq!(
        seen.iter().map(|e| e.id).collect::<Vec<_>>(),
        whole[..seen.len()].iter().map(|e| e.id).collect::<Vec<_>>()
    );
    assert_eq!(ledger.problems_in(&whole), Vec::<String>::new());
    for (id, stream, version, position) in &all.written {
        let event = &whole[*position as usize - 1];
        assert_eq!((event.id, &event.stream, event.version.get()), (*id, stream, *version));
    }
    assert_eq!(whole.len(), ledger.events() + all.written.len(), "nothing else was written");
    assert!(whole.iter().all(|event| !all.refused.contains(&event.id)));
    assert!(!all.refused.is_empty() && all.repeated > 0, "nothing was refused or repeated");
    println!(
        "{} events; {} of the other stores, {} refused, {} repeated",
        whole.len(),
        all.written.len(),
        all.refused.len(),
        all.repeated
    );
}

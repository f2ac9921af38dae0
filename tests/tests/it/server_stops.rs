//! The server fails under load and comes back: nothing that was acknowledged is lost, nothing is there twice.

use crate::{
    ledger::{disorder, whole_log},
    postgres_server::Server,
    process::LINE_MAX,
};
use annals::{AppendError, Commit, Committed, EventData, EventId, EventStore, Expected, Json, RecordedEvent};
use annals_postgres::PostgresStore;
use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};
use tokio_util::sync::CancellationToken;

/// How often the server fails, unless the environment says otherwise.
const STOPS: u32 = 5;

/// Says how often: `ANNALS_STOPS=25`.
const STOPS_VARIABLE: &str = "ANNALS_STOPS";

const WRITERS: u32 = 16;

/// So many commits are acknowledged between two failures.
const BETWEEN: u64 = 400;

/// How often one commit is sent again before the story gives up: the writer waits between two tries.
const TRIES_MAX: u32 = 600;

struct Load {
    store: Arc<PostgresStore>,
    acknowledged: AtomicU64,
    again: AtomicU64,
    ended: CancellationToken,
}

/// Appends to a stream of its own; what fails for the moment is sent again as it was.
async fn write(load: Arc<Load>, writer: u32) -> Vec<(EventId, Committed)> {
    let stream: annals::StreamId = format!("order-{writer}").parse().unwrap();
    let mut done = vec![];
    while !load.ended.is_cancelled() {
        let event = EventData::raw(EventId::random(), "Counted", 1, Json::empty());
        let (id, commit) = (event.id, Commit::to(stream.clone(), Expected::Any, [event]));
        done.push((id, until_written(&load, commit).await));
        load.acknowledged.fetch_add(1, Ordering::SeqCst);
    }
    done
}

async fn until_written(load: &Load, commit: Commit) -> Committed {
    for _ in 0..TRIES_MAX {
        match load.store.append(commit.clone()).await {
            Ok(committed) => return committed,
            Err(AppendError::Store(error)) if error.is_transient() => {
                load.again.fetch_add(1, Ordering::SeqCst);
            }
            Err(error) => panic!("{error}"),
        }
    }
    panic!("{TRIES_MAX} times the server was not there")
}

async fn until_acknowledged(load: &Load, count: u64) {
    let deadline = Instant::now() + LINE_MAX;
    while load.acknowledged.load(Ordering::SeqCst) < count {
        assert!(Instant::now() < deadline, "no append was acknowledged for {LINE_MAX:?}");
        tokio::task::yield_now().await;
    }
}

/// What came of it.
struct Story {
    log: Vec<RecordedEvent>,
    acknowledged: Vec<(EventId, Committed)>,
    again: u64,
    /// How long after the server was back the first append was acknowledged, at most.
    first_success: Duration,
}

/// Lets the server fail so many times under load.
async fn stop_often(server: &Server, stops: u32) -> Story {
    let store = Arc::new(PostgresStore::open(&server.url().parse().unwrap()).await.unwrap());
    let load = Arc::new(Load {
        store: store.clone(),
        acknowledged: AtomicU64::new(0),
        again: AtomicU64::new(0),
        ended: CancellationToken::new(),
    });
    let writers: Vec<_> = (0..WRITERS).map(|writer| tokio::spawn(write(load.clone(), writer))).collect();
    let mut first_success = Duration::ZERO;
    for _ in 0..stops {
        until_acknowledged(&load, load.acknowledged.load(Ordering::SeqCst) + BETWEEN).await;
        tokio::task::block_in_place(|| server.fail());
        let before = load.acknowledged.load(Ordering::SeqCst);
        tokio::task::block_in_place(|| server.run());
        let began = Instant::now();
        until_acknowledged(&load, before + 1).await;
        first_success = first_success.max(began.elapsed());
    }
    load.ended.cancel();
    let mut acknowledged = vec![];
    for writer in writers {
        acknowledged.extend(writer.await.unwrap());
    }
    let log = whole_log(&*store).await;
    Story { log, acknowledged, again: load.again.load(Ordering::SeqCst), first_success }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_fails_loses_nothing_that_was_acknowledged() {
    let Some(server) = Server::start("a server that fails", &[]) else { return };
    let stops: u32 = std::env::var(STOPS_VARIABLE).map_or(STOPS, |stops| stops.parse().unwrap());
    let Story { log, acknowledged, again, first_success } = stop_often(&server, stops).await;
    assert_eq!(disorder(&log), Vec::<String>::new());
    assert_eq!(log.len(), acknowledged.len(), "each commit is there once, and none is half acknowledged");
    for (id, committed) in &acknowledged {
        let event = &log[committed.position.get() as usize - 1];
        assert_eq!((event.id, event.version), (*id, committed.streams[0].last));
    }
    assert_eq!(log.iter().map(|event| event.id).collect::<HashSet<_>>().len(), log.len());
    assert!(again > 0, "no append was under way when the server failed");
    println!(
        "{stops} failures, {} events, {again} sent again; first success at most {first_success:?} after the server was back",
        log.len()
    );
}

/// Control: a server that answers before it has flushed loses what it acknowledged, and is found out.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_that_does_not_flush_is_found_out() {
    let lazy = ["synchronous_commit=off", "wal_writer_delay=10s", "wal_writer_flush_after=1GB"];
    let Some(server) = Server::start("a server that does not flush", &lazy) else { return };
    let Story { log, acknowledged, .. } = stop_often(&server, 1).await;
    let stored: HashSet<EventId> = log.iter().map(|event| event.id).collect();
    let lost = acknowledged.iter().filter(|(id, _)| !stored.contains(id)).count();
    assert!(lost > 0, "nothing of {} events was lost", acknowledged.len());
    assert_eq!(disorder(&log), Vec::<String>::new(), "what is there is in order all the same");
    println!("{lost} of {} acknowledged events lost", acknowledged.len());
}

//! The disk of a PostgreSQL server is full, that of its tables or that of its write-ahead log: a clear error that names
//! the next step, nothing acknowledged is lost, and appends go on when there is room.

use crate::{
    ledger::{Ledger, disorder, whole_log},
    postgres_server::Server,
    small_disk::SmallDisk,
};
use annals::{
    AppendError, Commit, Committed, EventData, EventId, EventStore, Expected, Json, StreamId, error_text,
};
use annals_postgres::PostgresStore;
use annals_tests::Report;
use std::sync::Arc;
use tokio::task::JoinSet;

const WRITERS: usize = 8;

/// So much a disk holds beside what a new server puts there, in MiB.
const DISK_MEBIBYTES: u32 = 64;

/// More than fits on it.
const COMMITS_MAX: usize = 8_000;

/// What each writer appends while there is room.
const COMMITS: usize = 20;

/// How often one commit is sent again before the story gives up: the writer waits between two tries.
const TRIES_MAX: u32 = 600;

/// Of two events that the server cannot make smaller.
fn commit(writer: usize) -> Commit {
    let event = || {
        let noise: String = (0..160).map(|_| EventId::random().to_string()).collect();
        EventData::raw(EventId::random(), "Noted", 1, Json::of(&noise).unwrap())
    };
    let stream = StreamId::new("note", writer).unwrap();
    Commit::to(stream, Expected::Any, [event(), event()])
}

fn take(ledger: &mut Ledger, commit: &Commit, committed: Option<&Committed>) {
    Report::acknowledged(commit, committed).iter().for_each(|report| ledger.take(report));
}

/// What one writer was told, and the commit that was refused, if one was.
type Written = (Vec<(Commit, Committed)>, Option<(Commit, AppendError)>);

async fn write(store: Arc<PostgresStore>, writer: usize, commits: usize) -> Written {
    let mut told = vec![];
    for _ in 0..commits {
        let commit = commit(writer);
        match store.append(commit.clone()).await {
            Ok(committed) => told.push((commit, committed)),
            Err(error) => return (told, Some((commit, error))),
        }
    }
    (told, None)
}

/// All writers append so many commits, or until each is refused; what they were told goes to the ledger.
async fn append(
    store: &Arc<PostgresStore>,
    ledger: &mut Ledger,
    commits: usize,
) -> Vec<(Commit, AppendError)> {
    let mut writing: JoinSet<Written> =
        (0..WRITERS).map(|writer| write(store.clone(), writer, commits)).collect();
    let mut refused = vec![];
    while let Some(written) = writing.join_next().await {
        let (told, last) = written.unwrap();
        told.iter().for_each(|(commit, committed)| take(ledger, commit, Some(committed)));
        refused.extend(last);
    }
    refused
}

/// Sent again as it was: what arrived after all is answered with its first result.
async fn until_written(store: &PostgresStore, commit: &Commit) -> Committed {
    for _ in 0..TRIES_MAX {
        match store.append(commit.clone()).await {
            Ok(committed) => return committed,
            Err(AppendError::Store(error)) if error.is_transient() => {}
            Err(error) => panic!("{}", error_text(&error)),
        }
    }
    panic!("{TRIES_MAX} times the server was not there")
}

/// A server with a part of its files on a small disk, which is filled under load; `says` are the next steps that are
/// named, and `stops` whether the server ends when it cannot write.
async fn full_disk_of(part: &str, says: &[&str], stops: bool) {
    let story = format!("a full disk below {part} of PostgreSQL");
    let Some(disk) = SmallDisk::mount(DISK_MEBIBYTES, &story) else { return };
    let Some(server) = Server::start_on(&disk, part, &story) else { return };
    let store = Arc::new(PostgresStore::open(&server.url().parse().unwrap()).await.unwrap());
    let mut ledger = Ledger::default();
    assert!(append(&store, &mut ledger, COMMITS).await.is_empty(), "refused while there was room");

    let ballast = disk.fill();
    let refused = append(&store, &mut ledger, COMMITS_MAX).await;
    assert_eq!(refused.len(), WRITERS, "{COMMITS_MAX} commits fit on a small disk");
    for (_, error) in &refused {
        let text = error_text(error);
        assert!(says.iter().any(|step| text.contains(step)), "{text}");
    }
    if !stops {
        // Reading goes on, and shows what was acknowledged and nothing of what was refused.
        let log = whole_log(&*store).await;
        assert_eq!((log.len(), disorder(&log)), (ledger.events(), vec![]));
        assert_eq!(ledger.problems_in(&log), Vec::<String>::new());
        // The control: had the store acknowledged what it refused, the ledger would miss it.
        let mut wrong = Ledger::default();
        refused.iter().for_each(|(commit, _)| take(&mut wrong, commit, None));
        let problems = wrong.problems_in(&log);
        let lost = problems.iter().filter(|problem| problem.ends_with("is lost")).count();
        assert_eq!((problems.len(), lost), (2 * WRITERS, 2 * WRITERS), "{problems:?}");
    }

    std::fs::remove_file(&ballast).unwrap();
    if stops {
        tokio::task::block_in_place(|| {
            server.fail();
            server.run();
        });
    }
    for (commit, _) in &refused {
        let committed = until_written(&store, commit).await;
        take(&mut ledger, commit, Some(&committed));
    }
    assert!(append(&store, &mut ledger, COMMITS).await.is_empty(), "refused although there is room");
    let log = whole_log(&*store).await;
    assert_eq!(ledger.problems_in(&log), Vec::<String>::new());
    assert_eq!(log.len(), ledger.events(), "nothing is there that was never acknowledged");
    println!("{part}: {} events, {} commits refused and sent again", log.len(), refused.len());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_tables_refuses_appends_and_keeps_what_was_acknowledged() {
    full_disk_of("base", &["the disk of the server is full: make room"], false).await;
}

/// PostgreSQL itself stops when it cannot write ahead, and starts again when there is room.
#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_of_the_write_ahead_log_loses_nothing_that_was_acknowledged() {
    let says = [
        "the disk of the server is full: make room",
        "see that the server runs",
        "the server is going down or coming up",
    ];
    full_disk_of("pg_wal", &says, true).await;
}

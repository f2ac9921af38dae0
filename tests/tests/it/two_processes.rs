//! Two processes append to one file at once, and a third follows.

use crate::{
    ledger::{Ledger, disorder},
    process::{LINE_MAX, Process},
};
use annals::{EventStore, LogFilter, PageLimit, Position, RecordedEvent};
use annals_sqlite::{SqliteOptions, SqliteStore};
use annals_tests::Report;
use rusqlite::{Connection, ErrorCode};
use std::{path::Path, sync::Arc};
use tokio_util::sync::CancellationToken;

/// How many commands each process carries out.
pub(crate) const COMMANDS: usize = 1_500;

pub(crate) fn receive<'a>(log: &'a str, name: &'a str) -> Process {
    let commands = COMMANDS.to_string();
    let arguments = ["receive", log, "--name", name, "--commands", &commands];
    let mut process = Process::start(arguments.into_iter().chain(["--hot", "3", "--at-once", "32"]));
    process.until("that it is ready", |report| (*report == Report::Ready).then_some(()));
    process
}

/// Everything up to `last`, as a follower sees it who is told of new events and reads them once.
pub(crate) async fn follow(
    store: Arc<dyn EventStore>,
    last: CancellationToken,
    at_least: usize,
) -> Vec<RecordedEvent> {
    let (mut head, mut seen, mut at) = (store.head(), vec![], Position::START);
    loop {
        let page = store.read_log(at, PageLimit::new(100).unwrap(), &LogFilter::all()).await.unwrap();
        at = page.looked;
        let more = !page.is_at_head();
        seen.extend(page.events);
        if more {
            continue;
        }
        if last.is_cancelled() && seen.len() >= at_least {
            return seen;
        }
        tokio::select! {
            moved = head.wait_for(|head| *head > at) => { moved.unwrap(); }
            () = last.cancelled(), if seen.len() >= at_least => {}
        }
    }
}

/// Asks for the write lock without waiting until it is refused once; true if that came before `ended`.
fn is_refused_once(log: &Path, ended: &CancellationToken) -> bool {
    let impatient = Connection::open(log).unwrap();
    impatient.busy_timeout(std::time::Duration::ZERO).unwrap();
    while !ended.is_cancelled() {
        match impatient.execute_batch("BEGIN IMMEDIATE; ROLLBACK") {
            Ok(()) => {}
            Err(error) => {
                assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy), "{error}");
                return true;
            }
        }
    }
    false
}

/// The control runs along: a connection that does not wait is told "database is locked" meanwhile.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_on_one_file_both_append_and_a_third_sees_each_event_once_in_order() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("shop.db");
    let store = Arc::new(SqliteStore::open(&SqliteOptions::new(&log)).unwrap());
    let ended = CancellationToken::new();
    let following = tokio::spawn(follow(store.clone(), ended.clone(), 2 * COMMANDS));
    let impatient = {
        let (log, ended) = (log.clone(), ended.clone());
        tokio::task::spawn_blocking(move || is_refused_once(&log, &ended))
    };
    let mut processes = [receive(log.to_str().unwrap(), "left"), receive(log.to_str().unwrap(), "right")];
    processes.iter_mut().for_each(|process| process.tell("begin"));
    let (mut ledger, mut tried_again) = (Ledger::default(), 0);
    for process in &mut processes {
        let rest = process.rest();
        rest.iter().for_each(|report| ledger.take(report));
        let again = |report: &&Report| matches!(report, Report::Answered { attempts: 2.., .. });
        tried_again += rest.iter().filter(again).count();
        assert!(process.ended().success(), "{:#?}", rest.last());
        assert_eq!(rest.last(), Some(&Report::Finished));
    }
    ended.cancel();
    let seen =
        tokio::time::timeout(LINE_MAX, following).await.expect("the follower comes to the end").unwrap();
    assert_eq!(seen.len(), 2 * COMMANDS);
    assert_eq!(disorder(&seen), Vec::<String>::new(), "as the follower saw it");
    assert_eq!(ledger.problems(&store).await, Vec::<String>::new());
    assert_eq!((ledger.events(), ledger.answers()), (2 * COMMANDS, 2 * COMMANDS));
    assert!(tried_again > 0, "the processes never met on a stream");
    assert!(impatient.await.unwrap(), "the file was never held when somebody else wanted it");
    println!("{} events of two processes, {tried_again} commands decided again after a conflict", seen.len());
}

/// A control of the checks: what a reader that misses or repeats something would have seen.
#[tokio::test]
async fn a_gap_a_repeat_and_half_a_commit_are_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let log = dir.path().join("shop.db");
    let mut process = receive(log.to_str().unwrap(), "left");
    process.tell("begin");
    process.rest();
    let store = SqliteStore::open(&SqliteOptions::new(&log)).unwrap();
    let sound = crate::ledger::whole_log(&store).await;
    assert_eq!(disorder(&sound), Vec::<String>::new());
    let without = |index: usize| [&sound[..index], &sound[index + 1..]].concat();
    assert!(!disorder(&without(7)).is_empty());
    assert!(!disorder(&[&sound[..8], &sound[7..]].concat()).is_empty());
    let mut half = sound.clone();
    half.last_mut().unwrap().commit.size = 2;
    assert!(!disorder(&half).is_empty());
}

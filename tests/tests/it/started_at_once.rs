//! On PostgreSQL, ten processes of one service start at the same moment: in an empty database, and after an update.

use crate::{
    ledger::whole_log,
    postgres::{looking, run, schema, texts},
    process::Process,
};
use annals_postgres::PostgresStore;
use annals_tests::Report;

const PROCESSES: usize = 10;

/// The log as an older layout has made it. What is dropped, the next ones make.
const OLDER: &str = concat!(
    // Not where things are shown, which comes first.
    "SELECT set_config('search_path', (current_schemas(false))[2], true); ",
    "DROP FUNCTION append_one, append_behind, append_in_turn; ",
    "UPDATE layouts SET version = 10 WHERE what LIKE '%event log%'; ",
    include_str!("../../../store-postgres/tests/server/without_guards.sql")
);

/// Ten processes that each open log and read models, then receive one delivery.
fn deliver_at_once(log: &str, what: &str) {
    let start = |number: usize| {
        let (sku, reference) = (format!("hat-{number}"), format!("{what} {number}"));
        Process::start(["deliver", log, "--sku", &sku, "--reference", &reference])
    };
    let mut started: Vec<Process> = (0..PROCESSES).map(start).collect();
    for process in &mut started {
        process.until("that it is ready", |report| (*report == Report::Ready).then_some(()));
    }
    for process in &mut started {
        process.tell("begin");
    }
    for process in &mut started {
        process.until("an answer", |report| matches!(report, Report::Answered { .. }).then_some(()));
        process.tell("stop");
        assert_eq!(process.rest().last(), Some(&Report::Finished));
    }
}

/// How it was broken: without the lock in `store-postgres/src/open/schema_lock.sql`, some end with an error.
#[tokio::test(flavor = "multi_thread")]
async fn ten_processes_that_start_at_once_make_the_tables_and_update_them_once() {
    let Some(log) = schema() else { return };
    deliver_at_once(&log, "first");
    let mut connection = looking(&log).await;
    let layouts = "SELECT what || ' ' || version FROM layouts ORDER BY what";
    let made = texts(&mut connection, layouts).await;

    run(&mut connection, OLDER).await;
    assert_ne!(texts(&mut connection, layouts).await, made);
    deliver_at_once(&log, "second");
    assert_eq!(texts(&mut connection, layouts).await, made);
    let store = PostgresStore::open(&log.parse().unwrap()).await.unwrap();
    assert_eq!(whole_log(&store).await.len(), 2 * PROCESSES);
}

use super::*;
use crate::{Synchronous, log::LOG_FILE, open::open_writer};
use rusqlite::{Statement, StatementStatus};

/// How often SQLite prepared the statement anew when it ran again with other values.
fn prepared_anew(statement: &mut Statement<'_>) -> i32 {
    for run in 1..=3 {
        for parameter in 1..=statement.parameter_count() {
            statement.raw_bind_parameter(parameter, run).unwrap();
        }
        let mut rows = statement.raw_query();
        while rows.next().unwrap().is_some() {}
    }
    statement.get_status(StatementStatus::RePrepare)
}

/// Preparing costs more than reading ten events. SQLite does it again whenever a bound LIMIT is bound.
#[test]
fn what_reads_often_is_prepared_once() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("shop.db");
    open_writer(&path, Synchronous::Full, &LOG_FILE).unwrap();
    let reader = Reader::open(&path).unwrap();
    for sql in [
        sql::READ_FORWARDS,
        sql::READ_BACKWARDS,
        sql::READ_LOG,
        sql::STREAMS,
        sql::STREAM_AT,
        sql::FIRST_OF_COMMIT,
        sql::COMMIT_ROWS,
        sql::EVENT_ID_TAKEN,
        sql::SNAPSHOT,
    ] {
        assert_eq!(prepared_anew(&mut reader.connection.prepare(sql).unwrap()), 0, "{sql}");
    }
    // Control.
    let limited = format!("{} LIMIT ?4", sql::READ_FORWARDS.trim_end());
    assert!(prepared_anew(&mut reader.connection.prepare(&limited).unwrap()) > 0);
}

//! Pausing a process that writes to SQLite.

use crate::process::Process;
use annals_tests::Report;
use rusqlite::{Connection, ErrorCode};
use rustix::process::Signal;
use std::{path::Path, time::Duration};

/// How often a process is paused again because it was in the middle of a write.
const PAUSES_MAX: u32 = 20;

/// Well below the lease, so that a process that is to be paused again still has it.
const PROBE_MAX: Duration = Duration::from_secs(1);

/// Pauses `process` between two writes to `files`; how often it was in the middle of one. Paused there, it would hold
/// the file itself: nobody could take over before it goes on or is killed, lease or no lease. That is SQLite's.
pub(crate) fn pause(process: &mut Process, files: &[&Path]) -> u32 {
    for holding in 0..PAUSES_MAX {
        process.signal(Signal::STOP);
        if files.iter().all(|file| may_be_written(file)) {
            return holding;
        }
        process.signal(Signal::CONT);
        process.until("a write", |report| {
            matches!(report, Report::Handled { .. } | Report::Acknowledged { .. }).then_some(())
        });
    }
    panic!("paused {PAUSES_MAX} times, each time in the middle of a write")
}

fn may_be_written(file: &Path) -> bool {
    let probe = Connection::open(file).unwrap();
    probe.busy_timeout(PROBE_MAX).unwrap();
    let written = probe.execute_batch("BEGIN IMMEDIATE; ROLLBACK");
    if let Err(error) = &written {
        assert_eq!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy), "{error}");
    }
    written.is_ok()
}

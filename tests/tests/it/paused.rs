//! Pausing a process that writes to SQLite.

use crate::process::Process;
use rusqlite::Connection;
use rustix::process::Signal;
use std::{path::Path, time::Duration};

/// How long a file is waited for: the process has it for a page at a time.
const HELD_MAX: Duration = Duration::from_secs(20);

/// Pauses `process` between two writes to `files`, which are held meanwhile. Paused in the middle of one it would hold
/// the file itself: nobody could take over before it goes on or is killed, lease or no lease. That is SQLite's.
pub(crate) fn pause(process: &Process, files: &[&Path]) {
    let held: Vec<Connection> = files.iter().map(|file| hold(file)).collect();
    process.signal(Signal::STOP);
    drop(held);
}

/// Nobody else writes to `file` until the connection is closed.
fn hold(file: &Path) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.busy_timeout(HELD_MAX).unwrap();
    connection.execute_batch("BEGIN IMMEDIATE").unwrap();
    connection
}

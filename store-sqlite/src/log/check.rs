//! Walking the whole log and saying what is wrong with it.

use super::{SqliteStore, reader::Reader, sql};
use annals::{Position, StoreError, StreamId};
use rusqlite::{Connection, Result, Row};

/// How many problems one check lists; it goes on counting.
pub const CHECK_PROBLEMS_MAX: usize = 1_000;

/// How many rows are walked between two reports of progress.
const PROGRESS_ROWS: u64 = 10_000;

/// What a check found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Checked {
    /// How many events there are.
    pub events: u64,
    /// How many streams there are.
    pub streams: u64,
    /// How many problems there are.
    pub problems_found: u64,
    /// The first [`CHECK_PROBLEMS_MAX`] of them.
    pub problems: Vec<Problem>,
}

/// One thing that is wrong with a log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Problem {
    /// Positions are not contiguous.
    #[error("position {found} follows {previous}")]
    Position {
        /// Where it should be one more than.
        previous: Position,
        /// What was there.
        found: Position,
    },
    /// A commit is not whole.
    #[error("position {position} is place {index} of a commit of {size}, where place {expected} was due")]
    Commit {
        /// Where.
        position: Position,
        /// The place it says.
        index: i64,
        /// The size it says.
        size: i64,
        /// The place that was due.
        expected: i64,
    },
    /// Time runs backwards.
    #[error("position {position} was recorded before the one in front of it")]
    Time {
        /// Where.
        position: Position,
    },
    /// Versions of a stream are not contiguous, or not in log order.
    #[error(
        "{stream} has version {found} at position {position}, where version {expected} was due behind it"
    )]
    Version {
        /// The stream.
        stream: String,
        /// Where.
        position: Position,
        /// The version it says.
        found: i64,
        /// The version that was due.
        expected: i64,
    },
    /// A stream is not known by the position of its first event.
    #[error("{stream} has no first event at position {position}")]
    Stream {
        /// The stream.
        stream: String,
        /// Where its first event should be.
        position: Position,
    },
    /// A name is none.
    #[error("{name:?} is no name of a stream")]
    Name {
        /// What stands there.
        name: String,
    },
    /// SQLite itself found the file damaged.
    #[error("the file is damaged: {0}; restore it from a backup")]
    File(String),
}

impl SqliteStore {
    /// Walks the whole log in one snapshot: positions contiguous from 1, commits whole, time not running backwards,
    /// versions contiguous in every stream and in log order, every stream known by its first event, every reference
    /// kept, and the pages of the file sound.
    ///
    /// Appends go on meanwhile. `progress` is told how many rows of how many were walked, about every 10 000;
    /// memory stays flat whatever the size. An error means that the check could not be done; what it found is in
    /// [`Checked`].
    pub async fn check(
        &self,
        progress: impl FnMut(u64, u64) + Send + 'static,
    ) -> std::result::Result<Checked, StoreError> {
        self.readers.apart("checking the log", move |reader| check(reader, progress)).await
    }
}

fn check(reader: &Reader, mut progress: impl FnMut(u64, u64)) -> Result<Checked> {
    let connection = reader.connection().unchecked_transaction()?;
    let mut found = Checked::default();
    let head = super::head::read(&connection)?.0;
    let (mut walked, all) = (0, head.get() * 2);
    let mut step = || {
        walked += 1;
        if walked % PROGRESS_ROWS == 0 {
            progress(walked, all.max(walked));
        }
    };
    check_log(&connection, &mut found, &mut step)?;
    check_versions(&connection, &mut found, &mut step)?;
    check_streams(&connection, &mut found)?;
    check_file(&connection, &mut found)?;
    progress(all, all);
    Ok(found)
}

impl Checked {
    fn report(&mut self, problem: Problem) {
        self.problems_found += 1;
        if self.problems.len() < CHECK_PROBLEMS_MAX {
            self.problems.push(problem);
        }
    }
}

fn each(connection: &Connection, sql: &str, mut row: impl FnMut(&Row<'_>) -> Result<()>) -> Result<()> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(next) = rows.next()? {
        row(next)?;
    }
    Ok(())
}

fn check_log(connection: &Connection, found: &mut Checked, step: &mut impl FnMut()) -> Result<()> {
    let (mut previous, mut last_at, mut due, mut of) = (Position::START, i64::MIN, 0, 0);
    each(connection, sql::CHECK_LOG, |row| {
        let position = Position::from_i64(row.get(0)?);
        let (index, size, at): (i64, i64, i64) = (row.get(1)?, row.get(2)?, row.get(3)?);
        if position != previous.plus(1) {
            found.report(Problem::Position { previous, found: position });
        }
        if index != due || index >= size || (index > 0 && size != of) {
            found.report(Problem::Commit { position, index, size, expected: due });
        }
        if at < last_at {
            found.report(Problem::Time { position });
        }
        (previous, last_at, of) = (position, at, size);
        due = if index + 1 >= size { 0 } else { index + 1 };
        found.events += 1;
        step();
        Ok(())
    })?;
    if due != 0 {
        found.report(Problem::Commit { position: previous, index: due - 1, size: of, expected: due });
    }
    Ok(())
}

fn check_versions(connection: &Connection, found: &mut Checked, step: &mut impl FnMut()) -> Result<()> {
    let (mut of, mut last, mut behind) = (0, 0, Position::START);
    each(connection, sql::CHECK_VERSIONS, |row| {
        let (stream, version): (i64, i64) = (row.get(0)?, row.get(1)?);
        let position = Position::from_i64(row.get(2)?);
        if stream != of {
            (of, last, behind) = (stream, 0, Position::START);
            found.streams += 1;
        }
        if version != last + 1 || position <= behind {
            let stream = name_of(connection, stream)?;
            found.report(Problem::Version { stream, position, found: version, expected: last + 1 });
        }
        (last, behind) = (version, position);
        step();
        Ok(())
    })
}

fn name_of(connection: &Connection, stream: i64) -> Result<String> {
    let mut statement = connection.prepare_cached(sql::STREAM_NAME)?;
    let mut names = statement.query_map([stream], |row| row.get(0))?;
    names.next().unwrap_or_else(|| Ok(format!("stream {stream}, which has no name,")))
}

fn check_streams(connection: &Connection, found: &mut Checked) -> Result<()> {
    each(connection, sql::CHECK_STREAMS, |row| {
        let (stream, position) = (row.get(0)?, Position::from_i64(row.get(1)?));
        found.report(Problem::Stream { stream, position });
        Ok(())
    })?;
    each(connection, "SELECT name FROM streams", |row| {
        let name: String = row.get(0)?;
        if name.parse::<StreamId>().is_err() {
            found.report(Problem::Name { name });
        }
        Ok(())
    })
}

fn check_file(connection: &Connection, found: &mut Checked) -> Result<()> {
    each(connection, "PRAGMA foreign_key_check", |row| {
        let (table, id, lacks): (String, Option<i64>, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let row = id.map_or_else(String::new, |id| format!(" {id}"));
        found.report(Problem::File(format!("row{row} of {table} names something that {lacks} lacks")));
        Ok(())
    })?;
    each(connection, "PRAGMA quick_check", |row| {
        let said: String = row.get(0)?;
        if said != "ok" {
            found.report(Problem::File(said));
        }
        Ok(())
    })
}

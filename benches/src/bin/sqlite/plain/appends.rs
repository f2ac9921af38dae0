use annals::{Commit, EventData};
use annals_benches::{Stopwatch, Turn};
use anyhow::Context;
use rusqlite::params;
use std::{
    collections::HashMap,
    path::{Path, PathBuf},
    time::{SystemTime, UNIX_EPOCH},
};

/// A log that a plain loop writes.
pub(crate) struct PlainLog {
    path: PathBuf,
    synchronous: &'static str,
    position: i64,
    streams: HashMap<String, (i64, i64)>,
    types: HashMap<&'static str, i64>,
}

/// The types of the events that are written.
const TYPES: [&str; 2] = ["LineAdded", "LineReturned"];

/// A row that needs only to be bound.
pub(crate) struct Row {
    position: i64,
    stream: i64,
    /// Set where the stream begins.
    stream_name: Option<String>,
    version: i64,
    type_id: i64,
    index: i64,
    size: i64,
    event: EventData,
}

impl PlainLog {
    pub(crate) fn new(path: &Path) -> anyhow::Result<Self> {
        let connection = super::log(path)?;
        let mut types = HashMap::new();
        for name in TYPES {
            let insert = "INSERT INTO types(category, name, schema_version) VALUES ('order', ?1, 1)";
            connection.execute(insert, [name])?;
            types.insert(name, connection.last_insert_rowid());
        }
        Ok(Self { path: path.into(), synchronous: "full", position: 0, streams: HashMap::new(), types })
    }

    /// Flushes nothing from now on: for making a log that is only read later.
    pub(crate) fn without_flushes(self) -> Self {
        Self { synchronous: "off", ..self }
    }

    /// Numbers the commits of all senders, in turns.
    pub(crate) fn rows(&mut self, of_sender: Vec<Vec<Commit>>) -> anyhow::Result<Vec<Row>> {
        let mut senders: Vec<_> = of_sender.into_iter().map(Vec::into_iter).collect();
        let mut rows = vec![];
        loop {
            let before = rows.len();
            for commit in senders.iter_mut().filter_map(Iterator::next) {
                self.number(commit, &mut rows)?;
            }
            if rows.len() == before {
                return Ok(rows);
            }
        }
    }

    fn number(&mut self, commit: Commit, rows: &mut Vec<Row>) -> anyhow::Result<()> {
        let size = commit.events() as i64;
        for write in commit.into_writes() {
            for (index, event) in write.events.into_iter().enumerate() {
                let type_id = *self.types.get(&*event.event_type).context("a type that is not written")?;
                self.position += 1;
                let known = self.streams.get_mut(write.stream.as_str());
                let stream_name = known.is_none().then(|| write.stream.to_string());
                let (stream, version) = match known {
                    Some((stream, version)) => {
                        *version += 1;
                        (*stream, *version)
                    }
                    None => {
                        self.streams.insert(write.stream.to_string(), (self.position, 1));
                        (self.position, 1)
                    }
                };
                let (position, index) = (self.position, index as i64);
                rows.push(Row { position, stream, stream_name, version, type_id, index, size, event });
            }
        }
        Ok(())
    }

    /// Writes them, so many in each transaction; opens the file before the turn and closes it behind.
    pub(crate) fn write(&self, rows: &[Row], rows_a_transaction: usize) -> anyhow::Result<Turn> {
        let connection = super::writer(&self.path, self.synchronous)?;
        let mut begin = connection.prepare("BEGIN IMMEDIATE")?;
        let mut commit = connection.prepare("COMMIT")?;
        let mut stream = connection.prepare("INSERT INTO streams(id, name) VALUES (?1, ?2)")?;
        let mut event = connection.prepare(
            "INSERT INTO log(position, stream, version, type, commit_index, commit_size, recorded_at, format, \
             event_id, tags, metadata, payload) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, NULL, ?9, ?10)",
        )?;
        let watch = Stopwatch::start();
        for some in rows.chunks(rows_a_transaction) {
            begin.execute([])?;
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_micros() as i64;
            for row in some {
                if let Some(name) = &row.stream_name {
                    stream.execute(params![row.stream, name])?;
                }
                event.execute(params![
                    row.position,
                    row.stream,
                    row.version,
                    row.type_id,
                    row.index,
                    row.size,
                    now,
                    row.event.id.uuid().as_bytes(),
                    row.event.metadata.as_str(),
                    row.event.payload.as_str(),
                ])?;
            }
            commit.execute([])?;
        }
        Ok(watch.stop(rows.len()))
    }
}

use rusqlite::{Connection, Row, Statement, params};
use std::{collections::HashMap, path::Path, sync::Arc};

/// One connection that reads.
pub(crate) struct PlainReader {
    connection: Connection,
}

/// A prepared statement that reads one stream.
pub(crate) struct Load<'a> {
    statement: Statement<'a>,
    types: Types<'a>,
}

/// The fields of a recorded event; what many rows share is shared, as far as a plain program would.
#[expect(dead_code, reason = "made to be owned, not read")]
pub(crate) struct Owned {
    position: i64,
    stream: Arc<str>,
    version: i64,
    commit: (i64, i64),
    recorded_at: i64,
    event_id: [u8; 16],
    event_type: Arc<str>,
    schema_version: i64,
    metadata: String,
    payload: String,
}

/// Names of types and their schema versions, looked up once.
struct Types<'a> {
    find: Statement<'a>,
    known: HashMap<i64, (Arc<str>, i64)>,
}

const ROWS: &str = "SELECT position, stream, version, type, commit_index, commit_size, recorded_at, format, \
                    event_id, metadata, payload FROM log";

impl PlainReader {
    pub(crate) fn new(path: &Path) -> anyhow::Result<Self> {
        Ok(Self { connection: super::reader(path)? })
    }

    /// The whole log, with one cursor; each record is dropped when the next one is made.
    pub(crate) fn scan(&self) -> anyhow::Result<usize> {
        let mut types = Types::new(&self.connection)?;
        let mut find = self.connection.prepare("SELECT name FROM streams WHERE id = ?1")?;
        let mut log = self.connection.prepare(&format!("{ROWS} ORDER BY position"))?;
        let mut streams: HashMap<i64, Arc<str>> = HashMap::new();
        let (mut rows, mut count) = (log.query([])?, 0);
        while let Some(row) = rows.next()? {
            let id = row.get(1)?;
            let stream = match streams.get(&id) {
                Some(stream) => stream.clone(),
                None => {
                    let stream: Arc<str> =
                        find.query_row([id], |row| Ok(row.get_ref(0)?.as_str()?.into()))?;
                    streams.insert(id, stream.clone());
                    stream
                }
            };
            std::hint::black_box(owned(&mut types, stream, row)?);
            count += 1;
        }
        Ok(count)
    }

    pub(crate) fn load(&self) -> anyhow::Result<Load<'_>> {
        let of_stream = "WHERE stream = (SELECT id FROM streams WHERE name = ?1) ORDER BY version LIMIT ?2";
        let statement = self.connection.prepare(&format!("{ROWS} {of_stream}"))?;
        Ok(Load { statement, types: Types::new(&self.connection)? })
    }
}

impl Load<'_> {
    /// All events of one stream.
    pub(crate) fn stream(&mut self, stream: &str, limit: usize) -> anyhow::Result<Vec<Owned>> {
        let (mut rows, name) = (self.statement.query(params![stream, limit as i64])?, Arc::from(stream));
        let mut events = vec![];
        while let Some(row) = rows.next()? {
            events.push(owned(&mut self.types, Arc::clone(&name), row)?);
        }
        Ok(events)
    }
}

impl<'a> Types<'a> {
    fn new(connection: &'a Connection) -> rusqlite::Result<Self> {
        let find = connection.prepare("SELECT name, schema_version FROM types WHERE id = ?1")?;
        Ok(Self { find, known: HashMap::new() })
    }

    fn get(&mut self, id: i64) -> rusqlite::Result<(Arc<str>, i64)> {
        if let Some(known) = self.known.get(&id) {
            return Ok(known.clone());
        }
        let found: (Arc<str>, i64) =
            self.find.query_row([id], |row| Ok((row.get_ref(0)?.as_str()?.into(), row.get(1)?)))?;
        self.known.insert(id, found.clone());
        Ok(found)
    }
}

fn owned(types: &mut Types<'_>, stream: Arc<str>, row: &Row<'_>) -> rusqlite::Result<Owned> {
    let (event_type, schema_version) = types.get(row.get(3)?)?;
    Ok(Owned {
        position: row.get(0)?,
        stream,
        version: row.get(2)?,
        commit: (row.get(4)?, row.get(5)?),
        recorded_at: row.get(6)?,
        event_id: row.get(8)?,
        event_type,
        schema_version,
        metadata: row.get_ref(9)?.as_str()?.to_owned(),
        payload: row.get_ref(10)?.as_str()?.to_owned(),
    })
}

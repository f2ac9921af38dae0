use annals_benches::shop::{Line, OrderEvent, Totals};
use annals_sqlite::SqliteDocuments;
use rusqlite::{Connection, OptionalExtension, params};
use std::{collections::HashMap, path::Path};

/// So many events are folded in memory and written in one transaction.
const PAGE_EVENTS: usize = 1_000;

/// A log and an empty read model, for a loop that fills it.
pub(crate) struct PlainReplay {
    log: Connection,
    views: Connection,
    generation: i64,
}

impl PlainReplay {
    pub(crate) fn new(log: &Path, views: &Path) -> anyhow::Result<Self> {
        drop(SqliteDocuments::open(views)?);
        let views = super::writer(views, "normal")?;
        views.execute_batch("PRAGMA wal_autocheckpoint = 4000")?;
        views.execute(
            "INSERT INTO generations(name, generation, version, state) VALUES ('plain', 1, 1, 'live')",
            [],
        )?;
        let generation = views.last_insert_rowid();
        Ok(Self { log: super::reader(log)?, views, generation })
    }

    /// Reads, folds and writes page by page to the end of the log; answers how many events there were.
    pub(crate) fn run(&self, key: fn(&Line) -> &str) -> anyhow::Result<usize> {
        let mut read = self.log.prepare(
            "SELECT l.position, t.name, l.payload FROM log l JOIN types t ON t.id = l.type \
             WHERE l.position > ?1 ORDER BY l.position LIMIT ?2",
        )?;
        let (mut position, mut count) = (0, 0);
        loop {
            let mut events = Vec::with_capacity(PAGE_EVENTS);
            let mut rows = read.query(params![position, PAGE_EVENTS as i64])?;
            while let Some(row) = rows.next()? {
                position = row.get(0)?;
                events.push(decode(row.get_ref(1)?.as_str()?, row.get_ref(2)?.as_str()?)?);
            }
            if events.is_empty() {
                return Ok(count);
            }
            count += events.len();
            self.page(&events, key, position)?;
        }
    }

    fn page(&self, events: &[OrderEvent], key: fn(&Line) -> &str, position: i64) -> anyhow::Result<()> {
        let views = &self.views;
        views.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
        let mut documents: HashMap<&str, Totals> = HashMap::new();
        let mut load =
            views.prepare_cached("SELECT body FROM documents WHERE generation = ?1 AND key = ?2")?;
        for event in events {
            let key = key(event.line());
            let totals = match documents.get_mut(key) {
                Some(totals) => totals,
                None => {
                    let found = load
                        .query_row(params![self.generation, key], |row| {
                            Ok(serde_json::from_str(row.get_ref(0)?.as_str()?))
                        })
                        .optional()?;
                    documents.entry(key).or_insert(found.transpose()?.unwrap_or_default())
                }
            };
            totals.take(event);
        }
        let mut put = views.prepare_cached(
            "INSERT INTO documents (generation, key, body) VALUES (?1, ?2, ?3) \
             ON CONFLICT (generation, key) DO UPDATE SET body = excluded.body",
        )?;
        for (key, totals) in &documents {
            put.execute(params![self.generation, key, serde_json::to_string(totals)?])?;
        }
        let mut checkpoint = views.prepare_cached("UPDATE generations SET checkpoint = ?2 WHERE id = ?1")?;
        checkpoint.execute([self.generation, position])?;
        views.prepare_cached("COMMIT")?.execute([])?;
        Ok(())
    }

    /// All documents, for a comparison.
    pub(crate) fn documents(&self) -> anyhow::Result<usize> {
        let count: i64 = self.views.query_row("SELECT count(*) FROM documents", [], |row| row.get(0))?;
        Ok(count as usize)
    }
}

fn decode(name: &str, payload: &str) -> anyhow::Result<OrderEvent> {
    Ok(match name {
        "LineAdded" => OrderEvent::LineAdded(serde_json::from_str(payload)?),
        "LineReturned" => OrderEvent::LineReturned(serde_json::from_str(payload)?),
        other => anyhow::bail!("there is no event {other}"),
    })
}

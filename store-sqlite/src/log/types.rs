//! Event types as small integers: category, name and schema version are one.

use super::sql;
use annals::batch::Row;
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::collections::HashMap;

/// How many event types the writer remembers; then it starts over.
const TYPES_REMEMBERED_MAX: usize = 10_000;

/// What the writer remembers of the event types. By name first, so that nothing is allocated to look one up.
#[derive(Debug, Default)]
pub(super) struct Types {
    by_name: HashMap<Box<str>, Vec<Known>>,
    count: usize,
}

#[derive(Debug)]
struct Known {
    category: Box<str>,
    schema_version: u32,
    id: i64,
}

impl Types {
    /// Makes every type of `rows` known, within the open transaction. Forget them all if that is taken back.
    pub(super) fn intern<'a>(
        &mut self,
        connection: &Connection,
        rows: impl Iterator<Item = Row<'a>>,
    ) -> Result<()> {
        if self.count > TYPES_REMEMBERED_MAX {
            *self = Self::default();
        }
        for row in rows {
            if self.find(&row).is_none() {
                let id = look_up_or_insert(connection, &row)?;
                let (category, schema_version) = (row.stream_id.category().into(), row.event.schema_version);
                let name = row.event.event_type.to_string().into_boxed_str();
                self.by_name.entry(name).or_default().push(Known { category, schema_version, id });
                self.count += 1;
            }
        }
        Ok(())
    }

    /// The number of a type that was interned.
    pub(super) fn id_of(&self, row: &Row<'_>) -> i64 {
        self.find(row).expect("the types of a batch are interned before it is written")
    }

    fn find(&self, row: &Row<'_>) -> Option<i64> {
        let of_name = self.by_name.get(&*row.event.event_type)?;
        let is = |known: &&Known| {
            known.schema_version == row.event.schema_version && *known.category == *row.stream_id.category()
        };
        of_name.iter().find(is).map(|known| known.id)
    }
}

fn look_up_or_insert(connection: &Connection, row: &Row<'_>) -> Result<i64> {
    let key = params![row.stream_id.category(), &*row.event.event_type, row.event.schema_version];
    let found = connection.prepare_cached(sql::TYPE_ID)?.query_row(key, |found| found.get(0)).optional()?;
    match found {
        Some(id) => Ok(id),
        None => connection.prepare_cached(sql::INSERT_TYPE)?.insert(key),
    }
}

//! Event types as small integers: category, name and schema version are one.

use super::Sql;
use crate::session::Session;
use annals::{EventData, EventType, LogFilter, StreamId};
use sqlx::{Error, Row, postgres::PgRow};
use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

/// How many event types the writer remembers; then it starts over.
const TYPES_REMEMBERED_MAX: usize = 10_000;

/// What the writer remembers of the event types. By name first, so that nothing is allocated to look one up.
#[derive(Debug, Default)]
pub(super) struct Interned {
    by_name: HashMap<Box<str>, Vec<Known>>,
    count: usize,
}

#[derive(Debug)]
struct Known {
    category: Box<str>,
    schema_version: u32,
    id: i32,
}

impl Interned {
    /// Gives a number to every type of `events` that has none yet. It keeps that, also when nothing is appended.
    pub(super) async fn intern<'a>(
        &mut self,
        session: &mut Session,
        sql: &Sql,
        events: impl Iterator<Item = (&'a StreamId, &'a EventData)>,
    ) -> Result<(), Error> {
        if self.count > TYPES_REMEMBERED_MAX {
            *self = Self::default();
        }
        let unknown = events.filter(|(stream, event)| self.find(stream, event).is_none());
        let unknown: HashSet<(&str, &str, u32)> = unknown
            .map(|(stream, event)| (stream.category(), &*event.event_type, event.schema_version))
            .collect();
        if unknown.is_empty() {
            return Ok(());
        }
        let (mut categories, mut names, mut versions) = (vec![], vec![], vec![]);
        for (category, name, version) in &unknown {
            categories.push(*category);
            names.push(*name);
            versions.push(i32::try_from(*version).unwrap_or(i32::MAX));
        }
        let rows = session.rows(sql.intern.query().bind(categories).bind(names).bind(versions)).await?;
        for ((category, name, schema_version), row) in unknown.into_iter().zip(rows) {
            let known = Known { category: category.into(), schema_version, id: row.try_get(0)? };
            self.by_name.entry(name.into()).or_default().push(known);
            self.count += 1;
        }
        Ok(())
    }

    /// The number of a type that was interned.
    pub(super) fn id_of(&self, stream: &StreamId, event: &EventData) -> i32 {
        self.find(stream, event).expect("the types of a batch are interned before it is written")
    }

    fn find(&self, stream: &StreamId, event: &EventData) -> Option<i32> {
        let is = |known: &&Known| {
            known.schema_version == event.schema_version && *known.category == *stream.category()
        };
        self.by_name.get(&*event.event_type)?.iter().find(is).map(|known| known.id)
    }
}

/// What readers remember of the event types: all there were when it was made. None is ever changed or removed.
#[derive(Debug, Default)]
pub(super) struct Types(HashMap<i32, Arc<TypeOfEvent>>);

/// What a number in the column `type` stands for.
#[derive(Debug)]
pub(super) struct TypeOfEvent {
    category: Box<str>,
    pub(super) name: EventType,
    pub(super) schema_version: u32,
}

impl Types {
    pub(super) fn of(rows: &[PgRow]) -> Result<Self, Error> {
        let read = |row: &PgRow| {
            let (id, version): (i32, i32) = (row.try_get(0)?, row.try_get(3)?);
            let category = row.try_get::<&str, _>(1)?.into();
            let name = EventType::from(row.try_get::<&str, _>(2)?);
            Ok((id, Arc::new(TypeOfEvent { category, name, schema_version: version.unsigned_abs() })))
        };
        Ok(Self(rows.iter().map(read).collect::<Result<_, Error>>()?))
    }

    pub(super) fn get(&self, id: i32) -> Option<&Arc<TypeOfEvent>> {
        self.0.get(&id)
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    /// The numbers of the types that `filter` takes; `None` when it takes all.
    pub(super) fn taken_by(&self, filter: &LogFilter) -> Option<Vec<i32>> {
        filter.sources()?;
        let taken = self.0.iter().filter(|(_, of)| filter.takes_type(&of.category, &of.name));
        Some(taken.map(|(id, _)| *id).collect())
    }
}

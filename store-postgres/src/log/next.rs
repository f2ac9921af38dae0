//! The short way: rows that the writer numbered itself, as the statement takes them.

use super::{Sql, types::Interned};
use crate::json_text::JsonText;
use annals::{
    Position,
    batch::{Accepted, Plan, Row},
};
use chrono::{DateTime, Utc};
use sqlx::{Postgres, postgres::PgArguments, query::Query};
use uuid::Uuid;

/// The accepted commits of a batch, column by column.
#[derive(Default)]
pub(super) struct Next<'a> {
    new_streams: Vec<i64>,
    new_names: Vec<&'a str>,
    streams: Vec<i64>,
    versions: Vec<i64>,
    ids: Vec<Uuid>,
    types: Vec<i32>,
    indexes: Vec<i16>,
    sizes: Vec<i16>,
    metadata: Vec<JsonText<'a>>,
    payloads: Vec<JsonText<'a>>,
}

impl<'a> Next<'a> {
    /// The types of all rows are interned.
    pub(super) fn of(plan: &Plan<'a>, types: &Interned) -> Self {
        let mut next = Self::default();
        for accepted in plan.accepted() {
            for (name, id) in accepted.new_streams() {
                next.new_streams.push(id.to_i64());
                next.new_names.push(name.as_str());
            }
            accepted.rows().for_each(|row| next.push(&row, types));
        }
        next
    }

    fn push(&mut self, row: &Row<'a>, types: &Interned) {
        self.streams.push(row.stream.to_i64());
        self.versions.push(row.version.to_i64());
        self.ids.push(row.event.id.uuid());
        self.types.push(types.id_of(row.stream_id, row.event));
        self.indexes.push(small(row.commit.index));
        self.sizes.push(small(row.commit.size));
        self.metadata.push(JsonText(row.event.metadata.as_str()));
        self.payloads.push(JsonText(row.event.payload.as_str()));
    }

    /// The function that writes them right behind `head`.
    pub(super) fn query(
        self,
        sql: &Sql,
        started: DateTime<Utc>,
        head: Position,
    ) -> Query<'a, Postgres, PgArguments> {
        self.bind(sql.append_next.query().bind(started).bind(head.to_i64()))
    }

    /// The statement that writes them right behind `head`, where an event stands, and `tells` other processes.
    pub(super) fn query_of_rows(
        self,
        sql: &Sql,
        started: DateTime<Utc>,
        head: Position,
        tells: bool,
    ) -> Query<'a, Postgres, PgArguments> {
        self.bind(sql.append_rows.query().bind(started).bind(head.to_i64())).bind(tells)
    }

    fn bind(self, query: Query<'a, Postgres, PgArguments>) -> Query<'a, Postgres, PgArguments> {
        query
            .bind(self.new_streams)
            .bind(self.new_names)
            .bind(self.streams)
            .bind(self.versions)
            .bind(self.ids)
            .bind(self.types)
            .bind(self.indexes)
            .bind(self.sizes)
            .bind(self.metadata)
            .bind(self.payloads)
    }
}

/// A place in a commit; a commit holds at most a thousand events.
fn small(number: u32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// The rows of what was accepted.
pub(super) fn rows<'p, 'a>(plan: &'p Plan<'a>) -> impl Iterator<Item = Row<'a>> + 'p {
    plan.accepted().flat_map(Accepted::rows)
}

/// The one row that a plan is about, when that is all and its stream exists.
pub(super) fn lone<'a>(plan: &Plan<'a>) -> Option<Row<'a>> {
    let mut rows = rows(plan);
    let row = rows.next()?;
    // A stream begins where its first event stands.
    (rows.next().is_none() && row.stream != row.position && row.stream > Position::START).then_some(row)
}

/// The statement that writes it right behind `head` and `tells` other processes. Its type is interned.
pub(super) fn query_of_one<'a>(
    row: &Row<'a>,
    types: &Interned,
    sql: &Sql,
    started: DateTime<Utc>,
    head: Position,
    tells: bool,
) -> Query<'a, Postgres, PgArguments> {
    let query = sql.append_one.query().bind(started).bind(head.to_i64());
    let query = query.bind(row.stream.to_i64()).bind(row.version.to_i64()).bind(row.event.id.uuid());
    let query = query.bind(types.id_of(row.stream_id, row.event));
    query.bind(JsonText(row.event.metadata.as_str())).bind(JsonText(row.event.payload.as_str())).bind(tells)
}

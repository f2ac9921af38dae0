//! The short way: rows that the writer numbered itself, as the statement takes them.

use super::{Sql, one_commit::OneCommit, types::Interned};
use crate::{json_text::JsonText, session::Session, statement::Statement};
use annals::{
    Position,
    batch::{Accepted, Plan, Row},
};
use chrono::{DateTime, Utc};
use sqlx::{
    Error, Postgres, Row as _,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use uuid::Uuid;

/// What this connection may do to write the short way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Means {
    /// Call the function for batches: behind a pooler nothing can be said to the session.
    Batches,
    /// Call the functions.
    Functions,
    /// Insert without them, which is the cheapest.
    Inserts,
}

/// The short way for the rows of `plan`, whose types are interned.
pub(super) struct ShortWay<'p, 'a> {
    pub(super) sql: &'p Sql,
    pub(super) plan: &'p Plan<'a>,
    pub(super) types: &'p Interned,
    /// When the server was started, as far as we know.
    pub(super) started: DateTime<Utc>,
    /// Other processes are to be told.
    pub(super) is_due: bool,
}

/// A statement of the short way.
pub(super) struct Short<'a> {
    query: Query<'a, Postgres, PgArguments>,
    /// It tells other processes.
    pub(super) tells: bool,
    says: Says,
}

/// How a statement says that it is done: each row that it answers with would cost what a tenth of an insert costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Says {
    /// By the number of rows that were inserted: all of them or none.
    Inserted,
    /// By no row; one says that nothing was written.
    NoRow,
    /// By a row that says 0.
    Row,
}

impl Short<'_> {
    /// Carries it out; whether it wrote.
    pub(super) async fn act(self, session: &mut Session) -> Result<bool, Error> {
        Ok(match self.says {
            Says::Inserted => session.act(self.query).await? > 0,
            Says::NoRow => session.act(self.query).await? == 0,
            Says::Row => done(&session.rows(self.query).await?)?.is_some(),
        })
    }
}

impl<'a> ShortWay<'_, 'a> {
    /// The statement that writes them right behind the head of the plan.
    pub(super) fn query(&self, means: Means) -> Short<'a> {
        let Self { sql, plan, types, is_due, .. } = *self;
        // All but the last one copy the time of the last event, so there must be one.
        let means = if plan.begins_behind() == Position::START { Means::Batches } else { means };
        match (means, lone(plan)) {
            (Means::Inserts, Some(row)) => self.insert_one(&row),
            (Means::Inserts, None) => match OneCommit::of(plan) {
                Some(commit) => self.insert_commit(&commit),
                None => self.insert_rows(Next::of(plan, types)),
            },
            (Means::Functions, Some(row)) => {
                let query = bind_row(self.begun(&sql.append_one_by_function), &row, types);
                Short { query: query.bind(begins(&row)).bind(is_due), tells: is_due, says: Says::NoRow }
            }
            // This one looks at each row that it is given, and always tells.
            _ => {
                let Next { begun, rows } = Next::of(plan, types);
                let query = rows.bind(begun.bind(self.begun(&sql.append_next)));
                Short { query, tells: true, says: Says::Row }
            }
        }
    }

    fn insert_one(&self, row: &Row<'a>) -> Short<'a> {
        let Self { sql, types, is_due, .. } = *self;
        let statement = match (begins(row), is_due) {
            (None, false) => &sql.append_one,
            (None, true) => &sql.append_one_told,
            (Some(_), false) => &sql.append_first,
            (Some(_), true) => &sql.append_first_told,
        };
        let query = bind_row(self.begun(statement), row, types);
        let query = begins(row).into_iter().fold(query, Query::bind);
        Short { query, tells: is_due, says: Says::Inserted }
    }

    fn insert_commit(&self, commit: &OneCommit<'a>) -> Short<'a> {
        let Self { sql, types, is_due, .. } = *self;
        let statement = match (commit.begins(), is_due) {
            (false, false) => &sql.append_commit,
            (false, true) => &sql.append_commit_told,
            (true, false) => &sql.append_commit_begun,
            (true, true) => &sql.append_commit_begun_told,
        };
        let query = commit.bind(self.begun(statement), types);
        Short { query, tells: is_due, says: Says::Inserted }
    }

    fn insert_rows(&self, next: Next<'a>) -> Short<'a> {
        let Self { sql, is_due, .. } = *self;
        let Next { begun, rows } = next;
        let begins = !begun.ids.is_empty();
        let statement = match (begins, is_due) {
            (false, false) => &sql.append_rows,
            (false, true) => &sql.append_rows_told,
            (true, false) => &sql.append_begun,
            (true, true) => &sql.append_begun_told,
        };
        let query = rows.bind(self.begun(statement));
        let query = if begins { begun.bind(query) } else { query };
        Short { query, tells: is_due, says: Says::Inserted }
    }

    /// The statement that waits for its turn and writes them behind what others have appended. Its one row says 0 when
    /// that is done, and behind which position.
    pub(super) fn query_behind_others(&self, means: Means) -> Query<'a, Postgres, PgArguments> {
        let Self { sql, plan, types, is_due, .. } = *self;
        let statement = if means == Means::Batches { &sql.append_behind } else { &sql.append_in_turn };
        let begins_behind = plan.begins_behind().to_i64();
        let mut next = Next::of(plan, types);
        // Where they begin is not known yet, only which of the rows is their first.
        next.begun.ids.iter_mut().for_each(|id| *id -= begins_behind);
        let of_begun = next.rows.streams.iter_mut().filter(|id| **id > begins_behind);
        of_begun.for_each(|id| *id = begins_behind - *id);
        next.rows.bind(next.begun.bind(self.begun(statement))).bind(is_due)
    }

    fn begun(&self, statement: &Statement) -> Query<'a, Postgres, PgArguments> {
        statement.query().bind(self.started).bind(self.plan.begins_behind().to_i64())
    }
}

/// The accepted commits of a batch.
#[derive(Default)]
struct Next<'a> {
    begun: Begun<'a>,
    rows: Rows<'a>,
}

/// The streams that begin.
#[derive(Default)]
struct Begun<'a> {
    ids: Vec<i64>,
    names: Vec<&'a str>,
}

/// The events, column by column.
#[derive(Default)]
struct Rows<'a> {
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
    fn of(plan: &Plan<'a>, types: &Interned) -> Self {
        let mut next = Self::default();
        for accepted in plan.accepted() {
            for (name, id) in accepted.new_streams() {
                next.begun.ids.push(id.to_i64());
                next.begun.names.push(name.as_str());
            }
            accepted.rows().for_each(|row| next.rows.push(&row, types));
        }
        next
    }
}

impl<'a> Begun<'a> {
    fn bind(self, query: Query<'a, Postgres, PgArguments>) -> Query<'a, Postgres, PgArguments> {
        query.bind(self.ids).bind(self.names)
    }
}

impl<'a> Rows<'a> {
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

    fn bind(self, query: Query<'a, Postgres, PgArguments>) -> Query<'a, Postgres, PgArguments> {
        query
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

/// The row of a statement that says 0 when it is done, if it is.
pub(super) fn done(rows: &[PgRow]) -> Result<Option<&PgRow>, Error> {
    let Some(row) = rows.first() else { return Ok(None) };
    Ok((row.try_get::<i16, _>(0)? == 0).then_some(row))
}

/// A place in a commit; a commit holds at most a thousand events.
fn small(number: u32) -> i16 {
    i16::try_from(number).unwrap_or(i16::MAX)
}

/// The rows of what was accepted.
pub(super) fn rows<'p, 'a>(plan: &'p Plan<'a>) -> impl Iterator<Item = Row<'a>> + 'p {
    plan.accepted().flat_map(Accepted::rows)
}

/// The one row that a plan is about, when that is all.
fn lone<'a>(plan: &Plan<'a>) -> Option<Row<'a>> {
    let mut rows = rows(plan);
    let row = rows.next()?;
    rows.next().is_none().then_some(row)
}

/// The name of the stream that begins with this row: it begins where its first event stands.
fn begins<'a>(row: &Row<'a>) -> Option<&'a str> {
    (row.stream == row.position).then(|| row.stream_id.as_str())
}

fn bind_row<'a>(
    query: Query<'a, Postgres, PgArguments>,
    row: &Row<'a>,
    types: &Interned,
) -> Query<'a, Postgres, PgArguments> {
    let query = query.bind(row.stream.to_i64()).bind(row.version.to_i64()).bind(row.event.id.uuid());
    let query = query.bind(types.id_of(row.stream_id, row.event));
    query.bind(JsonText(row.event.metadata.as_str())).bind(JsonText(row.event.payload.as_str()))
}

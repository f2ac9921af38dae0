//! The long way: commits as the checking function takes them, and what it answers.

use super::{Sql, due::Due, types::Interned};
use crate::json_text::JsonText;
use annals::{
    AppendError, Commit, Committed, EventId, Expected, Position, StreamId, Version, Written, batch::After,
};
use chrono::{DateTime, Utc};
use sqlx::{
    Error, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use std::collections::HashMap;
use uuid::Uuid;

/// What stands for any version.
const ANY_VERSION: i64 = -1;

/// The commits of a batch, column by column. Places in arrays count from 1.
#[derive(Default)]
pub(super) struct Checked<'a> {
    names: Vec<&'a str>,
    commits: Vec<i32>,
    streams: Vec<i32>,
    expected: Vec<i64>,
    counts: Vec<i32>,
    writes: Vec<i32>,
    ids: Vec<Uuid>,
    types: Vec<i32>,
    metadata: Vec<JsonText<'a>>,
    payloads: Vec<JsonText<'a>>,
}

impl<'a> Checked<'a> {
    /// The types of all events are interned.
    pub(super) fn of(appends: &'a [Due], types: &Interned) -> Self {
        let mut checked = Self::default();
        let mut places: HashMap<&StreamId, i32> = HashMap::new();
        for (number, due) in (1..).zip(appends) {
            let commit = if due.after == After::Nothing { number } else { -number };
            for write in due.pending.commit.writes() {
                let names = &mut checked.names;
                let stream = *places.entry(&write.stream).or_insert_with(|| {
                    names.push(write.stream.as_str());
                    count(names.len())
                });
                checked.commits.push(commit);
                checked.streams.push(stream);
                checked.expected.push(match write.expected {
                    Expected::Any => ANY_VERSION,
                    Expected::Exactly(version) => version.to_i64(),
                });
                checked.counts.push(count(write.events.len()));
                let place = count(checked.commits.len());
                for event in &write.events {
                    checked.writes.push(place);
                    checked.ids.push(event.id.uuid());
                    checked.types.push(types.id_of(&write.stream, event));
                    checked.metadata.push(JsonText(event.metadata.as_str()));
                    checked.payloads.push(JsonText(event.payload.as_str()));
                }
            }
        }
        checked
    }

    pub(super) fn query(self, sql: &Sql, started: DateTime<Utc>) -> Query<'a, Postgres, PgArguments> {
        sql.append_checked
            .query()
            .bind(started)
            .bind(self.names)
            .bind(self.commits)
            .bind(self.streams)
            .bind(self.expected)
            .bind(self.counts)
            .bind(self.writes)
            .bind(self.ids)
            .bind(self.types)
            .bind(self.metadata)
            .bind(self.payloads)
    }
}

/// What became of one commit.
pub(super) enum Answer {
    /// Its answer.
    Told(Result<Committed, AppendError>),
    /// It arrived before, and its rows tell its first result.
    Repeated { first: i64, size: i64 },
}

/// Reads the answer to `commit`, and where the log ended before the batch.
pub(super) fn answer(row: &PgRow, commit: &Commit) -> Result<(Answer, Position), Error> {
    let (outcome, place): (i16, Option<i64>) = (row.try_get(0)?, row.try_get(1)?);
    let (versions, known): (Vec<i64>, Option<Uuid>) = (row.try_get(2)?, row.try_get(3)?);
    let place = place.unwrap_or_default();
    let first = versions.first().copied().unwrap_or_default();
    let answer = match outcome {
        0 => Answer::Told(Ok(accepted(commit, place, &versions))),
        1 => {
            let at = usize::try_from(place).unwrap_or_default();
            let write = &commit.writes()[at.min(commit.writes().len() - 1)];
            let (stream, expected) = (write.stream.clone(), write.expected);
            Answer::Told(Err(AppendError::Conflict { stream, expected, actual: Version::from_i64(first) }))
        }
        2 => Answer::Repeated { first: place, size: first },
        _ => Answer::Told(Err(AppendError::DuplicateId { id: EventId::new(known.unwrap_or_default()) })),
    };
    Ok((answer, Position::from_i64(row.try_get(4)?)))
}

fn accepted(commit: &Commit, first: i64, versions: &[i64]) -> Committed {
    let written = commit.writes().iter().zip(versions).map(|(write, first)| {
        let first = Version::from_i64(*first);
        Written::new(write.stream.clone(), first, first.plus(write.events.len() as u64 - 1))
    });
    let last = Position::from_i64(first).plus(commit.events() as u64 - 1);
    Committed::new(written.collect(), last, false)
}

/// A count within one batch, which is bounded far below the limit of the type.
fn count(number: usize) -> i32 {
    i32::try_from(number).unwrap_or(i32::MAX)
}

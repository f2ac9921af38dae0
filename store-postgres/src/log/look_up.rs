//! What the writer asks the log for.

use super::{Sql, due::Due, reader::first_results, row::stream_id};
use crate::session::Session;
use annals::{
    Commit, Committed, EventData, Expected, Position, StreamId, Version, Write,
    batch::{Known, StreamAt},
};
use sqlx::{Error, Row};
use std::collections::{HashMap, HashSet};

/// The streams of `appends` that are not remembered. One that is to be new is believed to be: if it is not, its name is
/// taken, and nothing is written.
///
/// Looked at after the head was: if nobody appends between that and the writing, which the writing proves, this is
/// how they are at the head.
pub(super) async fn look_up(
    session: &mut Session,
    sql: &Sql,
    known: &Known,
    appends: &[Due],
) -> Result<HashMap<StreamId, StreamAt>, Error> {
    let writes = appends.iter().flat_map(|due| due.pending.commit.writes());
    let is_unknown =
        |write: &&Write| write.expected != Expected::NEW && known.stream(&write.stream).is_none();
    let unknown: HashSet<&str> = writes.filter(is_unknown).map(|write| write.stream.as_str()).collect();
    if unknown.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = session.rows(sql.streams_at.query().bind(Vec::from_iter(unknown))).await?;
    let read = rows.iter().map(|row| {
        let (id, version): (i64, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
        let version = Version::from_i64(version.unwrap_or_default());
        Ok((stream_id(row.try_get(0)?)?, StreamAt { id: Position::from_i64(id), version }))
    });
    read.collect()
}

/// The first results of commits that arrived again.
pub(super) async fn first_arrivals(
    session: &mut Session,
    sql: &Sql,
    repeats: &[(i64, i64)],
) -> Result<Vec<Committed>, Error> {
    if repeats.is_empty() {
        return Ok(vec![]);
    }
    let (firsts, sizes): (Vec<i64>, Vec<i64>) = repeats.iter().copied().unzip();
    let rows = session.rows(sql.commits_rows.query().bind(firsts).bind(sizes)).await?;
    first_results(&rows, repeats)
}

pub(super) fn events(appends: &[Due]) -> impl Iterator<Item = (&StreamId, &EventData)> {
    let writes = appends.iter().map(|due| &due.pending.commit).flat_map(Commit::writes);
    writes.flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)))
}

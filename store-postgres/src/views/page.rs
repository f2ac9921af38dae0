//! Writing a page: documents, parked events and the checkpoint in one call.

use super::{
    PostgresDocuments,
    generation::{epoch_number, epoch_of, number, unknown},
};
use crate::json_text::JsonbText;
use annals::{Change, CheckpointError, PageWrite, Position, Step};
use sqlx::{
    Error, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use std::sync::Arc;

impl PostgresDocuments {
    /// Writes `page` and moves the checkpoint, if the step is made from where the checkpoint stands and under the
    /// newest lease.
    pub(super) async fn write_page(
        &self,
        doing: &'static str,
        lane: Option<u32>,
        step: &Step,
        page: &PageWrite,
    ) -> Result<(), CheckpointError> {
        // One call is one transaction: nothing stays locked while this process sleeps. Tried again when an idle
        // connection was lost; had it been written all the same, the checkpoint says so.
        let rows = self.connections.rows(doing, || self.page_query(lane, step, page)).await?;
        outcome(&rows[0], step).map_err(|error| self.failed(doing, error))??;
        self.tell_moved();
        Ok(())
    }

    pub(super) fn page_query<'p>(
        &self,
        lane: Option<u32>,
        step: &'p Step,
        page: &'p PageWrite,
    ) -> Query<'p, Postgres, PgArguments> {
        // In key order each page of the index is visited once.
        let mut changes: Vec<&(Arc<str>, Change)> = page.changes.iter().collect();
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (mut put_keys, mut put_bodies, mut delete_keys) = (vec![], vec![], vec![]);
        for (key, change) in changes {
            match change {
                Change::Put(document) => {
                    put_keys.push(&**key);
                    put_bodies.push(JsonbText(document.as_str()));
                }
                Change::Delete => delete_keys.push(&**key),
            }
        }
        let query = self
            .sql
            .commit_page
            .query()
            .bind(step.subscriber.name())
            .bind(number(&step.subscriber))
            .bind(epoch_number(step.epoch))
            .bind(step.from.to_i64())
            .bind(step.to.to_i64())
            .bind(put_keys)
            .bind(put_bodies)
            .bind(delete_keys);
        let lane = lane.map(|lane| i32::try_from(lane).unwrap_or(i32::MAX));
        bind_parked(query, page).bind(lane)
    }
}

/// Binds what is settled and what is parked.
pub(super) fn bind_parked<'p>(
    query: Query<'p, Postgres, PgArguments>,
    page: &'p PageWrite,
) -> Query<'p, Postgres, PgArguments> {
    let settled = |(key, position): &'p (Arc<str>, Position)| (&**key, position.to_i64());
    let (settled_keys, settled_positions): (Vec<&str>, Vec<i64>) = page.settled.iter().map(settled).unzip();
    let park = &page.park;
    query
        .bind(settled_keys)
        .bind(settled_positions)
        .bind(park.iter().map(|parked| &*parked.key).collect::<Vec<_>>())
        .bind(park.iter().map(|parked| parked.position.to_i64()).collect::<Vec<_>>())
        .bind(park.iter().map(|parked| parked.stream.as_str()).collect::<Vec<_>>())
        .bind(park.iter().map(|parked| parked.version.to_i64()).collect::<Vec<_>>())
        .bind(park.iter().map(|parked| parked.error.as_str()).collect::<Vec<_>>())
        .bind(park.iter().map(|parked| i64::from(parked.attempts)).collect::<Vec<_>>())
        .bind(park.iter().map(|parked| parked.parked_at).collect::<Vec<_>>())
}

/// What the call answered.
pub(super) fn outcome(row: &PgRow, step: &Step) -> Result<Result<(), CheckpointError>, Error> {
    let number = |at| row.try_get::<Option<i64>, _>(at).map(Option::unwrap_or_default);
    let outcome: i16 = row.try_get(0)?;
    let (epoch, checkpoint) = (number(1)?, number(2)?);
    let subscriber = step.subscriber.clone();
    Ok(match outcome {
        0 => Ok(()),
        1 => Err(unknown(&subscriber).into()),
        2 => Err(CheckpointError::Retired { subscriber }),
        5 => Err(CheckpointError::Divided { subscriber }),
        3 => Err(CheckpointError::Fenced { subscriber, ours: step.epoch, now: epoch_of(epoch) }),
        _ => {
            let actual = Position::from_i64(checkpoint);
            Err(CheckpointError::Moved { subscriber, expected: step.from, actual })
        }
    })
}

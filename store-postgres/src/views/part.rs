//! Writing a page of a part: documents and parked events of one generation, the checkpoint of another, in one call.

use super::{
    PostgresDocuments,
    generation::{epoch_number, number, unknown},
    page::{bind_parked, outcome},
};
use crate::json_text::JsonbText;
use annals::{Change, CheckpointError, Json, PageWrite, Position, Slot, Step, SubscriberId};
use sqlx::{
    Error, Postgres, Row,
    postgres::{PgArguments, PgRow},
    query::Query,
};
use std::{
    collections::{BTreeMap, HashSet},
    sync::Arc,
};

impl PostgresDocuments {
    /// Writes `page` into `into` and moves the checkpoint of the part.
    pub(super) async fn write_part(
        &self,
        step: &Step,
        into: &SubscriberId,
        seen: &[(Arc<str>, Slot)],
        page: &PageWrite,
    ) -> Result<(), CheckpointError> {
        const DOING: &str = "writing a page of a part";
        // As a page: one call is one transaction, and whether it was written before its connection was lost, the
        // checkpoint says.
        let rows = self.connections.rows(DOING, || self.part_query(step, into, seen, page)).await?;
        part_outcome(&rows[0], step, into).map_err(|error| self.failed(DOING, error))??;
        self.tell_moved();
        Ok(())
    }

    pub(super) fn part_query<'p>(
        &self,
        step: &'p Step,
        into: &'p SubscriberId,
        seen: &'p [(Arc<str>, Slot)],
        page: &'p PageWrite,
    ) -> Query<'p, Postgres, PgArguments> {
        // In key order two parts do not wait for each other. A key that was asked for twice is one document.
        let seen: BTreeMap<&str, &Slot> = seen.iter().map(|(key, slot)| (&**key, slot)).collect();
        let absent: HashSet<&str> =
            seen.iter().filter(|(_, slot)| slot.document.is_none()).map(|(key, _)| *key).collect();
        let mut changes: Vec<&(Arc<str>, Change)> = page.changes.iter().collect();
        changes.sort_by(|(a, _), (b, _)| a.cmp(b));
        let (mut add, mut put, mut delete) = ((vec![], vec![]), (vec![], vec![]), vec![]);
        for (key, change) in changes {
            match change {
                Change::Put(document) => {
                    let (keys, bodies) = if absent.contains(&**key) { &mut add } else { &mut put };
                    keys.push(&**key);
                    bodies.push(JsonbText(document.as_str()));
                }
                Change::Delete => delete.push(&**key),
            }
        }
        let body = |slot: &&'p Slot| slot.document.as_ref().map(|json| JsonbText(Json::as_str(json)));
        let query = self
            .sql
            .commit_part
            .query()
            .bind(step.subscriber.name())
            .bind(number(&step.subscriber))
            .bind(epoch_number(step.epoch))
            .bind(step.from.to_i64())
            .bind(step.to.to_i64())
            .bind(into.name())
            .bind(number(into))
            .bind(seen.keys().copied().collect::<Vec<&str>>())
            .bind(seen.values().map(body).collect::<Vec<Option<JsonbText<'p>>>>())
            .bind(seen.values().map(|slot| slot.parked).collect::<Vec<bool>>())
            .bind(add.0)
            .bind(add.1)
            .bind(put.0)
            .bind(put.1)
            .bind(delete);
        bind_parked(query, page)
    }
}

/// What the call answered.
pub(super) fn part_outcome(
    row: &PgRow,
    step: &Step,
    into: &SubscriberId,
) -> Result<Result<(), CheckpointError>, Error> {
    let subscriber = into.clone();
    Ok(match row.try_get::<i16, _>(0)? {
        11 => Err(unknown(into).into()),
        12 => Err(CheckpointError::Retired { subscriber }),
        14 => {
            let actual = Position::from_i64(row.try_get::<Option<i64>, _>(2)?.unwrap_or_default());
            Err(CheckpointError::Moved { subscriber, expected: Position::START, actual })
        }
        15 => Err(CheckpointError::Divided { subscriber }),
        16 => Err(CheckpointError::raced(into, row.try_get::<Option<&str>, _>(3)?.unwrap_or_default())),
        _ => outcome(row, step)?,
    })
}

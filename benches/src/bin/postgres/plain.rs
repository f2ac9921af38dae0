//! What a program written by hand reads: the same columns, to records of its own.

use chrono::{DateTime, Utc};
use futures_util::TryStreamExt;
use sqlx::{PgConnection, Row, postgres::PgRow};
use uuid::Uuid;

/// The fields of a recorded event.
#[expect(dead_code, reason = "made to be owned, not read")]
pub(crate) struct Owned {
    position: i64,
    version: i64,
    recorded_at: DateTime<Utc>,
    event_id: Uuid,
    type_id: i32,
    commit: (i16, i16),
    metadata: String,
    payload: String,
    stream: Option<String>,
}

/// One statement, streamed.
pub(crate) async fn scan_plain(connection: &mut PgConnection) -> anyhow::Result<usize> {
    let mut rows = sqlx::query(include_str!("plain_scan.sql")).fetch(connection);
    let mut count = 0;
    while let Some(row) = rows.try_next().await? {
        std::hint::black_box(owned(&row, true)?);
        count += 1;
    }
    Ok(count)
}

pub(crate) async fn load_plain(connection: &mut PgConnection, stream: &str) -> anyhow::Result<Vec<Owned>> {
    let rows = sqlx::query(include_str!("plain_load.sql")).bind(stream).fetch_all(connection).await?;
    rows.iter().map(|row| Ok(owned(row, false)?)).collect()
}

fn owned(row: &PgRow, named: bool) -> Result<Owned, sqlx::Error> {
    let text = |at: usize| {
        let raw = row.try_get_raw(at)?.as_str().map_err(sqlx::Error::Decode)?;
        Ok::<_, sqlx::Error>(raw.to_owned())
    };
    Ok(Owned {
        position: row.try_get(0)?,
        version: row.try_get(1)?,
        recorded_at: row.try_get(2)?,
        event_id: row.try_get(3)?,
        type_id: row.try_get(4)?,
        commit: (row.try_get(5)?, row.try_get(6)?),
        metadata: text(7)?,
        payload: text(8)?,
        stream: if named { Some(text(9)?) } else { None },
    })
}

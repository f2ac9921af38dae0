//! The read model of parcels in a table of its own, with the statement of the loop that is written by hand.

use crate::parcels::ParcelEvent;
use annals_kafka::Handler;
use annals_postgres::{PostgresDocuments, SqlParts, SqlProjection, SqlRefusal, Told};
use async_trait::async_trait;
use sqlx::PgConnection;
use std::{collections::BTreeMap, sync::Arc};

/// How many events there were of each parcel, and the number of the last one.
pub(crate) struct ParcelRows;

#[async_trait]
impl SqlProjection for ParcelRows {
    const NAME: &'static str = "parcel-rows";
    type Event = ParcelEvent;

    async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error> {
        let make = "CREATE TABLE plain_parcels(key text COLLATE \"C\" PRIMARY KEY, notes bigint NOT NULL, \
                    last bigint NOT NULL)";
        sqlx::raw_sql(make).execute(tables).await.map(|_| ())
    }

    async fn handle(
        &self,
        tables: &mut PgConnection,
        events: &[Told<'_, ParcelEvent>],
    ) -> Result<(), SqlRefusal> {
        let mut parcels: BTreeMap<&str, (i64, i64)> = BTreeMap::new();
        for Told { event: ParcelEvent::Noted { n }, recorded } in events {
            let (notes, last) = parcels.entry(recorded.key()).or_default();
            (*notes, *last) = (*notes + 1, n.cast_signed());
        }
        let keys: Vec<&str> = parcels.keys().copied().collect();
        let (notes, last): (Vec<i64>, Vec<i64>) = parcels.into_values().unzip();
        let add = sqlx::query(include_str!("plain_parcels_add.sql")).bind(keys).bind(notes).bind(last);
        add.execute(tables).await?;
        Ok(())
    }
}

/// What feeds it from topics.
pub(crate) fn handler(documents: Arc<PostgresDocuments>) -> Handler {
    let parts = SqlParts::new(ParcelRows, documents.clone());
    Handler::parts(ParcelRows::NAME, documents, move |part, mode, kept, terms| {
        parts.part(part, mode, kept, terms)
    })
}

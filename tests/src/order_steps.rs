//! A read model in tables of its own, in PostgreSQL.

use annals_postgres::{SqlProjection, SqlRefusal, Told};
use async_trait::async_trait;
use northwind_aggregates::OrderEvent;
use sqlx::PgConnection;
use std::collections::BTreeMap;

/// How many steps each order has taken. An event that counts twice, or not at all, makes another sum.
pub struct OrderSteps;

#[async_trait]
impl SqlProjection for OrderSteps {
    const NAME: &'static str = "order-steps";
    type Event = OrderEvent;

    async fn create(&self, tables: &mut PgConnection) -> Result<(), sqlx::Error> {
        let make = "CREATE TABLE order_steps (number text PRIMARY KEY, steps bigint NOT NULL)";
        sqlx::raw_sql(make).execute(tables).await.map(|_| ())
    }

    async fn handle(
        &self,
        tables: &mut PgConnection,
        events: &[Told<'_, OrderEvent>],
    ) -> Result<(), SqlRefusal> {
        let mut steps: BTreeMap<&str, i64> = BTreeMap::new();
        for told in events {
            *steps.entry(told.recorded.key()).or_default() += 1;
        }
        let (numbers, steps): (Vec<&str>, Vec<i64>) = steps.into_iter().unzip();
        let add = "INSERT INTO order_steps AS o SELECT * FROM unnest($1::text[], $2::bigint[]) \
                   ON CONFLICT (number) DO UPDATE SET steps = o.steps + EXCLUDED.steps";
        sqlx::query(add).bind(numbers).bind(steps).execute(tables).await?;
        Ok(())
    }
}

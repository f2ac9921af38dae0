use annals_benches::{
    postgres::Server,
    shop::{OrderEvent, Totals},
};
use sqlx::{Connection, PgConnection, Row, postgres::PgRow};
use std::collections::HashMap;

/// So many events are folded in memory and written in one transaction.
const PAGE_EVENTS: i64 = 1_000;

/// What documents are kept under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum By {
    /// At random in the log.
    Customer,
    /// Close together in the log.
    Order,
}

/// A loop written by hand: reads in the order of the log, folds, and writes each page with one upsert.
pub(crate) struct PlainReplay {
    log: PgConnection,
    views: PgConnection,
}

impl PlainReplay {
    pub(crate) async fn new(server: &Server) -> anyhow::Result<Self> {
        server.say(include_str!("plain_views.sql")).await?;
        Ok(Self { log: server.connect().await?, views: server.connect().await? })
    }

    pub(crate) async fn empty(&mut self) -> anyhow::Result<()> {
        sqlx::raw_sql("TRUNCATE plain.documents, plain.checkpoint; INSERT INTO plain.checkpoint VALUES (0)")
            .execute(&mut self.views)
            .await?;
        Ok(())
    }

    /// Goes to the end of the log; answers how many events there were.
    pub(crate) async fn run(&mut self, by: By) -> anyhow::Result<usize> {
        let (mut position, mut count) = (0_i64, 0);
        loop {
            let read = sqlx::query(include_str!("plain_page.sql")).bind(position).bind(PAGE_EVENTS);
            let rows = read.fetch_all(&mut self.log).await?;
            let Some(last) = rows.last() else { return Ok(count) };
            position = last.try_get(0)?;
            count += rows.len();
            let events = rows.iter().map(decode).collect::<anyhow::Result<Vec<_>>>()?;
            let keyed = rows.iter().zip(&events).map(|(row, event)| {
                let key = match by {
                    By::Customer => event.line().customer.as_str(),
                    By::Order => row.try_get(3)?,
                };
                Ok((key, event))
            });
            self.page(&keyed.collect::<anyhow::Result<Vec<_>>>()?, position).await?;
        }
    }

    async fn page(&mut self, events: &[(&str, &OrderEvent)], position: i64) -> anyhow::Result<()> {
        let mut documents: HashMap<&str, Totals> =
            events.iter().map(|(key, _)| (*key, Totals::default())).collect();
        let keys: Vec<&str> = documents.keys().copied().collect();
        let mut transaction = self.views.begin().await?;
        let load = sqlx::query("SELECT key, body::text FROM plain.documents WHERE key = ANY($1)").bind(&keys);
        for row in load.fetch_all(&mut *transaction).await? {
            let (key, body): (&str, &str) = (row.try_get(0)?, row.try_get(1)?);
            if let Some(totals) = documents.get_mut(key) {
                *totals = serde_json::from_str(body)?;
            }
        }
        for (key, event) in events {
            documents.entry(key).or_default().take(event);
        }
        let (mut keys, mut bodies) = (vec![], vec![]);
        for (key, totals) in &documents {
            keys.push(*key);
            bodies.push(serde_json::to_string(totals)?);
        }
        let put = sqlx::query(include_str!("plain_upsert.sql")).bind(keys).bind(bodies);
        put.execute(&mut *transaction).await?;
        sqlx::query("UPDATE plain.checkpoint SET position = $1")
            .bind(position)
            .execute(&mut *transaction)
            .await?;
        transaction.commit().await?;
        Ok(())
    }

    pub(crate) async fn documents(&mut self) -> anyhow::Result<usize> {
        let count: i64 =
            sqlx::query_scalar("SELECT count(*) FROM plain.documents").fetch_one(&mut self.views).await?;
        Ok(count as usize)
    }
}

fn decode(row: &PgRow) -> anyhow::Result<OrderEvent> {
    let (name, payload): (&str, &str) = (row.try_get(1)?, row.try_get(2)?);
    Ok(match name {
        "LineAdded" => OrderEvent::LineAdded(serde_json::from_str(payload)?),
        "LineReturned" => OrderEvent::LineReturned(serde_json::from_str(payload)?),
        other => anyhow::bail!("there is no event {other}"),
    })
}

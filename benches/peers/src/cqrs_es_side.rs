//! `cqrs-es` with `postgres-es`: a query that loads, a transaction that inserts. It keeps no states in memory.

use crate::side::Side;
use annals_benches::shop::Line;
use async_trait::async_trait;
use cqrs_es::{Aggregate, DomainEvent, event_sink::EventSink};
use postgres_es::{PostgresCqrs, postgres_cqrs};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

/// As its own `db/init.sql` makes it.
const TABLE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL, aggregate_id text NOT NULL, sequence bigint CHECK (sequence >= 0) NOT NULL,
    event_type text NOT NULL, event_version text NOT NULL, payload json NOT NULL, metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence))";

pub(crate) struct Commands(PostgresCqrs<Order>);

impl Commands {
    pub(crate) async fn open(pool: PgPool) -> anyhow::Result<Self> {
        sqlx::query(TABLE).execute(&pool).await?;
        Ok(Self(postgres_cqrs(pool, vec![], ())))
    }
}

#[async_trait]
impl Side for Commands {
    async fn add(&self, order: Uuid, _: u64, line: Line) -> anyhow::Result<()> {
        Ok(self.0.execute(&order.to_string(), AddLine(line)).await?)
    }
}

#[derive(Default, Serialize, Deserialize)]
struct Order {
    pieces: u64,
    gross_minor: u64,
}

struct AddLine(Line);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum OrderEvent {
    LineAdded(Line),
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl DomainEvent for OrderEvent {
    fn event_type(&self) -> String {
        "LineAdded".into()
    }

    fn event_version(&self) -> String {
        "1.0".into()
    }
}

impl Aggregate for Order {
    const TYPE: &'static str = "order";
    type Command = AddLine;
    type Event = OrderEvent;
    type Error = Never;
    type Services = ();

    async fn handle(&mut self, AddLine(line): AddLine, (): &(), sink: &EventSink<Self>) -> Result<(), Never> {
        sink.write(OrderEvent::LineAdded(line), self).await;
        Ok(())
    }

    fn apply(&mut self, OrderEvent::LineAdded(line): OrderEvent) {
        self.pieces += u64::from(line.quantity);
        self.gross_minor += u64::from(line.quantity) * line.unit_price_minor;
    }
}

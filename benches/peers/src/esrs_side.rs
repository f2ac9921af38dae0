//! `esrs`: load without a lock, which is its quicker way, then a transaction that inserts. It keeps no states in
//! memory.

use crate::side::Side;
use annals_benches::shop::Line;
use async_trait::async_trait;
use esrs::{
    Aggregate, AggregateState,
    manager::AggregateManager,
    store::postgres::{PgStore, PgStoreBuilder},
};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

pub(crate) struct Commands(AggregateManager<PgStore<Order>>);

impl Commands {
    pub(crate) async fn open(pool: PgPool) -> anyhow::Result<Self> {
        Ok(Self(AggregateManager::new(PgStoreBuilder::new(pool).try_build().await?)))
    }
}

#[async_trait]
impl Side for Commands {
    async fn add(&self, order: Uuid, _: u64, line: Line) -> anyhow::Result<()> {
        let state = self.0.load(order).await?.unwrap_or_else(|| AggregateState::with_id(order));
        self.0.handle_command(state, AddLine(line)).await??;
        Ok(())
    }
}

struct Order;

#[derive(Default)]
struct Totals {
    pieces: u64,
    gross_minor: u64,
}

struct AddLine(Line);

#[derive(Debug, Clone, Serialize, Deserialize)]
enum OrderEvent {
    LineAdded(Line),
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
struct Never;

impl Aggregate for Order {
    const NAME: &'static str = "order";
    type State = Totals;
    type Command = AddLine;
    type Event = OrderEvent;
    type Error = Never;

    fn handle_command(_: &Totals, AddLine(line): AddLine) -> Result<Vec<OrderEvent>, Never> {
        Ok(vec![OrderEvent::LineAdded(line)])
    }

    fn apply_event(state: Totals, OrderEvent::LineAdded(line): OrderEvent) -> Totals {
        Totals {
            pieces: state.pieces + u64::from(line.quantity),
            gross_minor: state.gross_minor + u64::from(line.quantity) * line.unit_price_minor,
        }
    }
}

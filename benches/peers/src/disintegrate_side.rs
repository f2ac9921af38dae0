//! `disintegrate`: appends alone, and those without its check, which is its quicker way.

use crate::side::Side;
use annals_benches::shop::Line;
use async_trait::async_trait;
use disintegrate::{Event, EventStore, serde::json::Json};
use disintegrate_postgres::PgEventStore;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use uuid::Uuid;

pub(crate) struct Appends(PgEventStore<OrderEvent, Json<OrderEvent>>);

impl Appends {
    pub(crate) async fn open(pool: PgPool) -> anyhow::Result<Self> {
        Ok(Self(PgEventStore::try_new(pool, Json::default()).await?))
    }
}

#[async_trait]
impl Side for Appends {
    async fn add(&self, order: Uuid, _: u64, line: Line) -> anyhow::Result<()> {
        let event = OrderEvent::LineAdded { order_id: order.to_string(), line };
        self.0.append_without_validation(vec![event]).await?;
        Ok(())
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Event, Serialize, Deserialize)]
enum OrderEvent {
    LineAdded {
        #[id]
        order_id: String,
        line: Line,
    },
}

//! Our side.

use crate::side::Side;
use annals::{Commit, Context, Engine, EventData, EventId, EventStore, Expected, Json, StreamId, Version};
use annals_benches::{
    postgres::Server,
    shop::{AddLine, Line, Order, OrderEvent},
};
use async_trait::async_trait;
use std::sync::Arc;
use uuid::Uuid;

/// Load, decide, append.
pub(crate) struct Commands(Engine);

impl Commands {
    pub(crate) async fn open(server: &Server, schema: &str, cached: bool) -> anyhow::Result<Self> {
        let engine = Engine::new(Arc::new(server.store(schema).await?));
        Ok(Self(if cached { engine } else { engine.cache_entries_max(0) }))
    }
}

#[async_trait]
impl Side for Commands {
    async fn add(&self, order: Uuid, _: u64, line: Line) -> anyhow::Result<()> {
        self.0.execute::<Order>(&order.to_string(), &AddLine(line), Context::new()).await?;
        Ok(())
    }
}

/// Appends alone, of which each says the version that it expects.
pub(crate) struct Appends(Arc<dyn EventStore>);

impl Appends {
    pub(crate) async fn open(server: &Server) -> anyhow::Result<Self> {
        Ok(Self(Arc::new(server.store("appends").await?)))
    }
}

#[async_trait]
impl Side for Appends {
    async fn add(&self, order: Uuid, before: u64, line: Line) -> anyhow::Result<()> {
        let event = EventData::of(EventId::random(), &OrderEvent::LineAdded(line), Json::empty())?;
        let stream = StreamId::new("order", order)?;
        self.0.append(Commit::to(stream, Expected::Exactly(Version::new(before)), vec![event])).await?;
        Ok(())
    }
}

//! A small shop for the engine's own tests.

use crate::{
    Aggregate, CommandId, Context, DomainEvent, Engine, EventData, EventId, EventStore, Issued, Json, Keys,
    MemoryStore, Policy, ProjectError, Projection, RecordedEvent, SnapshotPolicy, Upcast, event_set,
};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum StockEvent {
    Received { quantity: u32 },
    Reserved { order: u64, quantity: u32 },
    Refused { order: u64 },
}

impl DomainEvent for StockEvent {
    const CATEGORY: &'static str = "stock";
    const UPCASTS: &'static [Upcast] = &[Upcast::rename("Arrived", 1, "Received", 1)];
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum StockCommand {
    Receive {
        quantity: u32,
    },
    /// Rejected when too few are free.
    Reserve {
        order: u64,
        quantity: u32,
    },
    /// Leaves an event when too few are free.
    Ask {
        order: u64,
        quantity: u32,
    },
    /// Decides nothing when nothing is free.
    Clear,
}

#[derive(Debug, PartialEq, thiserror::Error)]
#[error("only {free} are free")]
pub(crate) struct TooFew {
    pub(crate) free: u32,
}

#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct StockItem {
    pub(crate) free: u32,
    pub(crate) reserved: BTreeMap<u64, u32>,
}

impl Aggregate for StockItem {
    type Id = str;
    type Command = StockCommand;
    type Event = StockEvent;
    type Rejection = TooFew;
    const SNAPSHOTS: Option<SnapshotPolicy<Self>> = Some(SnapshotPolicy::json(10));

    fn decide(&self, command: &StockCommand) -> Result<Vec<StockEvent>, TooFew> {
        Ok(match *command {
            StockCommand::Receive { quantity } => vec![StockEvent::Received { quantity }],
            StockCommand::Reserve { quantity, .. } if quantity > self.free => {
                return Err(TooFew { free: self.free });
            }
            StockCommand::Ask { order, quantity } if quantity > self.free => {
                vec![StockEvent::Refused { order }]
            }
            StockCommand::Reserve { order, quantity } | StockCommand::Ask { order, quantity } => {
                vec![StockEvent::Reserved { order, quantity }]
            }
            StockCommand::Clear if self.free == 0 => vec![],
            StockCommand::Clear => vec![StockEvent::Reserved { order: 0, quantity: self.free }],
        })
    }

    fn evolve(&mut self, event: &StockEvent) {
        match *event {
            StockEvent::Received { quantity } => self.free += quantity,
            StockEvent::Reserved { order, quantity } => {
                self.free -= quantity;
                *self.reserved.entry(order).or_default() += quantity;
            }
            StockEvent::Refused { .. } => {}
        }
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum OrderEvent {
    Placed { lines: Vec<(String, u32)> },
}

impl DomainEvent for OrderEvent {
    const CATEGORY: &'static str = "order";
}

event_set! {
    #[derive(Debug)]
    pub(crate) enum ShopEvent { Order(OrderEvent), Stock(StockEvent) }
}

/// Per SKU: what was ordered and what is reserved. Refuses what is ordered of `bad` while `ok` is not set.
#[derive(Debug, Clone, Default)]
pub(crate) struct Demand {
    pub(crate) mended: Arc<std::sync::atomic::AtomicBool>,
}

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct SkuDemand {
    pub(crate) ordered: u32,
    pub(crate) reserved: u32,
}

impl Projection for Demand {
    const NAME: &'static str = "demand";
    type Event = ShopEvent;
    type Document = SkuDemand;

    fn keys(&self, event: &ShopEvent, recorded: &RecordedEvent) -> Keys {
        match event {
            ShopEvent::Order(OrderEvent::Placed { lines }) => {
                lines.iter().map(|(sku, _)| sku.as_str()).collect()
            }
            ShopEvent::Stock(StockEvent::Reserved { .. }) => recorded.key().into(),
            ShopEvent::Stock(_) => Keys::none(),
        }
    }

    fn project(
        &self,
        sku: &str,
        before: Option<SkuDemand>,
        event: &ShopEvent,
        _: &RecordedEvent,
    ) -> Result<Option<SkuDemand>, ProjectError> {
        let mut demand = before.unwrap_or_default();
        match event {
            ShopEvent::Order(OrderEvent::Placed { lines }) => {
                let quantity: u32 =
                    lines.iter().filter(|(of, _)| of == sku).map(|(_, quantity)| quantity).sum();
                if quantity == 13 && !self.mended.load(std::sync::atomic::Ordering::Relaxed) {
                    return Err(ProjectError::new("13 is refused"));
                }
                demand.ordered += quantity;
            }
            ShopEvent::Stock(StockEvent::Reserved { quantity, .. }) => demand.reserved += quantity,
            ShopEvent::Stock(_) => {}
        }
        Ok(Some(demand))
    }
}

/// Asks for the stock of each line of an order that was placed.
#[derive(Debug, Clone)]
pub(crate) struct ReserveOnPlaced;

impl Policy for ReserveOnPlaced {
    const NAME: &'static str = "reserve-on-placed";
    type Event = OrderEvent;

    fn react(&self, OrderEvent::Placed { lines }: &OrderEvent, recorded: &RecordedEvent) -> Vec<Issued> {
        let order = recorded.key().parse().unwrap_or(0);
        let ask = |(sku, quantity): &(String, u32)| {
            Issued::to::<StockItem>(sku, StockCommand::Ask { order, quantity: *quantity })
        };
        lines.iter().map(ask).collect()
    }
}

pub(crate) fn placed(lines: &[(&str, u32)]) -> EventData {
    let lines = lines.iter().map(|(sku, quantity)| (sku.to_string(), *quantity)).collect();
    EventData::of(EventId::random(), &OrderEvent::Placed { lines }, Json::empty()).unwrap()
}

/// Appends an order, as a service would by a command.
pub(crate) async fn place(store: &dyn EventStore, order: u64, lines: &[(&str, u32)]) {
    let stream = crate::StreamId::new("order", order).unwrap();
    store.append(crate::Commit::to(stream, crate::Expected::NEW, [placed(lines)])).await.unwrap();
}

pub(crate) fn shop() -> (Arc<MemoryStore>, Engine) {
    let store = Arc::new(MemoryStore::new());
    (store.clone(), Engine::new(store))
}

pub(crate) fn repeatable() -> (CommandId, impl Fn() -> Context) {
    let id = CommandId::random();
    (id, move || Context::of(id))
}

/// An event store that does as the one in its field does, but for `append`.
macro_rules! delegate {
    ($store:ty, $inner:tt, $append:item) => {
        #[async_trait::async_trait]
        impl EventStore for $store {
            $append

            async fn read(
                &self,
                stream: &StreamId,
                range: VersionRange,
                limit: PageLimit,
            ) -> Result<Vec<RecordedEvent>, StoreError> {
                self.$inner.read(stream, range, limit).await
            }

            async fn streams(
                &self,
                filter: &StreamFilter,
                after: Option<&StreamId>,
                limit: PageLimit,
            ) -> Result<Vec<StreamInfo>, StoreError> {
                self.$inner.streams(filter, after, limit).await
            }

            async fn read_log(
                &self,
                after: Position,
                limit: PageLimit,
                filter: &LogFilter,
            ) -> Result<LogPage, StoreError> {
                self.$inner.read_log(after, limit, filter).await
            }

            async fn committed(
                &self,
                stream: &StreamId,
                first_event: EventId,
            ) -> Result<Option<Committed>, StoreError> {
                self.$inner.committed(stream, first_event).await
            }

            fn head(&self) -> tokio::sync::watch::Receiver<Position> {
                self.$inner.head()
            }
        }
    };
}
pub(crate) use delegate;

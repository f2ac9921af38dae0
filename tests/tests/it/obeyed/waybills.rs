//! Whether waybills are those of the orders: each event entered once, in its place.

use super::{Story, TOPIC};
use crate::{
    ledger::{Ledger, whole_log},
    placed::PARTITIONS,
};
use annals::{EventId, Policy, Position, RecordedEvent, part_name};
use annals_kafka::{Consumer, partition_of};
use annals_sqlite::{SqliteOptions, SqliteStore};
use annals_tests::{KeepWaybills, WaybillEvent};
use std::collections::BTreeMap;

/// An entry, as an event of an order calls for it or as it stands on the waybill.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    cause: Option<EventId>,
    correlation: Option<String>,
    number: u64,
    step: String,
}

/// The part that an event belongs to.
pub(super) fn part(event: &RecordedEvent) -> String {
    let partition = partition_of(event.key().as_bytes(), PARTITIONS) as i32;
    part_name(KeepWaybills::NAME, 1, &Consumer::part(TOPIC, partition))
}

/// Where each part stands when all of `orders` are handled.
pub(super) fn ends(orders: &[RecordedEvent]) -> BTreeMap<String, Position> {
    orders.iter().map(|event| (part(event), event.position)).collect()
}

impl Story<'_> {
    /// Checks that each event was obeyed once and in order, that the log is sound, and that all parts are at the end
    /// and well; how many events there are.
    pub(super) async fn assert_obeyed(&self) -> usize {
        let (orders, log) = (self.orders().await, whole_log(&*self.carrier.store).await);
        assert_eq!(log.len(), orders.len(), "commands for events");
        let found = by_order(&log, Entry::found);
        for (order, entries) in by_order(&orders, Entry::wanted) {
            assert_eq!(found.get(&order), Some(&entries), "order {order}");
        }
        assert_eq!(self.problems_in(&log).await, Vec::<String>::new());
        let mut stand = BTreeMap::new();
        for info in self.carrier.documents.subscribers().await.unwrap() {
            assert_eq!((info.failure, info.parked, info.holder), (None, 0, None), "{}", info.subscriber);
            stand.insert(info.subscriber.name().to_string(), info.checkpoint);
        }
        assert_eq!(stand, ends(&orders));
        orders.len()
    }

    async fn problems_in(&self, log: &[RecordedEvent]) -> Vec<String> {
        if self.is_on_postgres() {
            return Ledger::default().problems_in(log);
        }
        let store = SqliteStore::open(&SqliteOptions::new(self.log)).unwrap();
        Ledger::default().problems(&store).await
    }
}

impl Entry {
    fn wanted(event: &RecordedEvent) -> Self {
        let known = event.metadata();
        let correlation = known.correlation_id.or(known.command_id.map(|id| id.to_string()));
        let (number, step) = (event.version.get(), event.event_type.to_string());
        Self { cause: Some(event.id), correlation, number, step }
    }

    fn found(event: &RecordedEvent) -> Self {
        let (known, mut entered) = (event.metadata(), None);
        annals::decode_recorded(event, &mut |event| entered = Some(event)).unwrap();
        let Some(WaybillEvent::Entered { entry: number, step }) = entered else { panic!("{event:?}") };
        Self { cause: known.causation_id, correlation: known.correlation_id, number, step }
    }
}

fn by_order(
    events: &[RecordedEvent],
    entry: impl Fn(&RecordedEvent) -> Entry,
) -> BTreeMap<String, Vec<Entry>> {
    let mut all: BTreeMap<String, Vec<Entry>> = BTreeMap::new();
    for event in events {
        all.entry(event.key().to_string()).or_default().push(entry(event));
    }
    all
}

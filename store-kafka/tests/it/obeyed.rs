//! A policy of another service, fed from topics: each event leads to its command once.

use crate::{
    broker::unique,
    place::Place,
    tally::{Elsewhere, OrderNote},
};
use annals::{
    Aggregate, Checkpoints, DomainEvent, Engine, EventStore, Issued, LogFilter, MemoryStore, PageLimit,
    Policy, Position, RecordedEvent, catch_up,
};
use annals_kafka::{Consumer, Handler};
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, sync::Arc};
use tokio_util::sync::CancellationToken;

#[derive(Debug, Serialize, Deserialize)]
pub(crate) enum CopyEvent {
    Copied { n: u64 },
}

impl DomainEvent for CopyEvent {
    const CATEGORY: &'static str = "copy";
}

#[derive(Debug, Default, Clone)]
pub(crate) struct Copies;

#[derive(Debug, PartialEq)]
pub(crate) struct Copy {
    n: u64,
}

#[derive(Debug, thiserror::Error)]
#[error("never")]
pub(crate) struct Never;

impl Aggregate for Copies {
    type Id = str;
    type Command = Copy;
    type Event = CopyEvent;
    type Rejection = Never;

    fn decide(&self, command: &Copy) -> Result<Vec<CopyEvent>, Never> {
        Ok(vec![CopyEvent::Copied { n: command.n }])
    }

    fn evolve(&mut self, _: &CopyEvent) {}
}

/// Copies every note to the stream of the same key.
#[derive(Debug, Clone)]
pub(crate) struct CopyNotes;

impl Policy for CopyNotes {
    const NAME: &'static str = "copy-notes";
    type Event = OrderNote;

    fn react(&self, OrderNote::Noted { n }: &OrderNote, recorded: &RecordedEvent) -> Vec<Issued> {
        vec![Issued::to::<Copies>(recorded.key(), Copy { n: *n })]
    }
}

/// Broken on purpose, and seen to fail this: commands under random ids. Those that are sent again then count twice.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_policy_is_obeyed_once_for_each_event_whoever_reads_it() {
    let Some(place) = Place::shared() else { return };
    for key in 0..30 {
        place.append("order", key, 10).await;
        place.append("stock", key, 1).await;
    }
    catch_up(&*place.store, &mut place.publisher(place.terms())).await.unwrap();
    let there = Elsewhere::new(&place.options, vec![place.topic("order")]);
    let copies = Arc::new(MemoryStore::new());
    let engine = Arc::new(Engine::new(copies.clone()));
    let run = |group: &str, checkpoints: Arc<dyn Checkpoints>| {
        let stop = CancellationToken::new();
        let handler = Handler::policy(CopyNotes, engine.clone(), checkpoints);
        let consumer =
            Consumer::new(group, place.options.clone(), there.topics.clone(), handler, there.terms());
        (tokio::spawn(consumer.run(stop.clone())), stop)
    };
    let copied = || async {
        copies.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await.unwrap().events
    };
    let (first, stop_first) = run(&there.group, there.documents.clone());
    let (second, stop_second) = run(&there.group, there.documents.clone());
    there.until("all are copied", || async { copied().await.len() >= 300 }).await;
    stop_first.cancel();
    first.await.unwrap().unwrap();
    stop_second.cancel();
    second.await.unwrap().unwrap();
    // Somebody who has lost where he stood sends every command again: they are known.
    let lost = Elsewhere::new(&place.options, there.topics.clone());
    let (again, stop) = run(&unique("again"), lost.documents.clone());
    lost.until("all are read again", || async {
        let all = lost.documents.subscribers().await.unwrap();
        all.len() == 4 && all.iter().map(|info| info.checkpoint.get()).max() > Some(300)
    })
    .await;
    stop.cancel();
    again.await.unwrap().unwrap();
    let mut notes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for event in copied().await {
        notes.entry(event.stream.to_string()).or_default().push(event.payload.as_str().into());
    }
    let wanted: Vec<String> = (0..10).map(|n| format!("{{\"n\":{n}}}")).collect();
    assert_eq!(notes.len(), 30);
    assert!(notes.values().all(|found| *found == wanted), "{notes:?}");
}

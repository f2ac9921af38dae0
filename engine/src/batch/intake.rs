//! The writer's end of the queue: sealing batches and answering them.

use super::{
    pace::Pace,
    queue::{Item, Pending},
};
use crate::{AppendError, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Committed, EventId};
use std::collections::{HashSet, VecDeque};
use tokio::sync::mpsc;

/// How many events one batch holds at most.
pub const BATCH_EVENTS_MAX: usize = 4_096;

/// How many bytes of payloads and metadata one batch holds at most: 8 MiB.
pub const BATCH_BYTES_MAX: usize = 8 << 20;

// Otherwise an append that is allowed would fit in no batch.
const _: () = assert!(COMMIT_EVENTS_MAX <= BATCH_EVENTS_MAX && COMMIT_BYTES_MAX <= BATCH_BYTES_MAX);

/// The writer's end of the queue.
#[derive(Debug)]
pub struct Intake<A = ()> {
    receiver: mpsc::Receiver<Item<A>>,
    /// Taken from the queue and not yet in a batch, oldest first.
    held: VecDeque<Item<A>>,
    pace: Pace,
}

/// What is done in one transaction: at least one append or aside. No event id stands in two of its appends.
#[derive(Debug)]
#[non_exhaustive]
pub struct Batch<A = ()> {
    /// In order of arrival.
    pub appends: Vec<Pending>,
    /// What else was asked for.
    pub asides: Vec<A>,
}

impl<A> Intake<A> {
    pub(super) fn new(receiver: mpsc::Receiver<Item<A>>) -> Self {
        Self { receiver, held: VecDeque::new(), pace: Pace::default() }
    }

    /// The next batch, for a writer that is a task. `None` when every [`AppendQueue`](super::AppendQueue) is gone.
    pub async fn next(&mut self) -> Option<Batch<A>> {
        if self.held.is_empty() {
            let first = self.receiver.recv().await?;
            self.held.push_back(first);
        }
        // Lets tasks that were just answered send again: otherwise senders split into two half-batches for good. A lone
        // sender is not kept waiting: to yield wakes other threads, to no use.
        if self.pace.expects_several() || !self.receiver.is_empty() {
            for _ in 0..2 {
                tokio::task::yield_now().await;
            }
        }
        self.take_waiting();
        Some(self.seal())
    }

    /// The next batch, for a writer that is a thread. `None` when every [`AppendQueue`](super::AppendQueue) is gone.
    ///
    /// Must not be called on a thread of a tokio runtime.
    pub fn next_blocking(&mut self) -> Option<Batch<A>> {
        if self.held.is_empty() {
            let first = self.receiver.blocking_recv()?;
            self.held.push_back(first);
        }
        let mut pace = std::mem::take(&mut self.pace);
        pace.wait(|| self.take_waiting());
        self.pace = pace;
        Some(self.seal())
    }

    /// Answers a batch, each append on its own.
    pub fn answer(&mut self, answers: Vec<(Pending, Result<Committed, AppendError>)>) {
        // A chain has one sender.
        let senders = answers.iter().filter(|(pending, _)| !pending.follows).count();
        self.pace.answering(senders, self.waiting());
        for (pending, result) in answers {
            pending.answer(result);
        }
    }

    /// How many are in line now.
    pub fn waiting(&self) -> usize {
        self.held.len() + self.receiver.len()
    }

    fn take_waiting(&mut self) -> usize {
        while self.held.len() < BATCH_EVENTS_MAX
            && let Ok(item) = self.receiver.try_recv()
        {
            self.held.push_back(item);
        }
        self.held.len()
    }

    fn seal(&mut self) -> Batch<A> {
        let mut batch = Batch { appends: Vec::with_capacity(self.held.len()), asides: vec![] };
        let (mut events, mut bytes) = (0, 0);
        let mut ids = HashSet::new();
        let mut later = VecDeque::new();
        while let Some(item) = self.held.pop_front() {
            let appends = match &item {
                Item::Aside(_) => &[],
                Item::Append(pending) => std::slice::from_ref(pending),
                Item::Chain(chain) => chain.as_slice(),
            };
            let more_events: usize = appends.iter().map(|pending| pending.commit.events()).sum();
            let more_bytes: usize = appends.iter().map(|pending| pending.commit.bytes()).sum();
            if events + more_events > BATCH_EVENTS_MAX || bytes + more_bytes > BATCH_BYTES_MAX {
                later.push_back(item);
                break;
            }
            // The same ids twice in one transaction would spoil it: the second one finds the first in the log.
            if !take_ids(&mut ids, appends) {
                later.push_back(item);
                continue;
            }
            (events, bytes) = (events + more_events, bytes + more_bytes);
            match item {
                Item::Aside(aside) => batch.asides.push(aside),
                Item::Append(pending) => batch.appends.push(pending),
                Item::Chain(chain) => batch.appends.extend(chain),
            }
        }
        later.append(&mut self.held);
        self.held = later;
        batch
    }
}

/// Adds the ids of `appends`, all or none.
fn take_ids(taken: &mut HashSet<EventId>, appends: &[Pending]) -> bool {
    let writes = || appends.iter().flat_map(|pending| pending.commit.writes());
    let ids = || writes().flat_map(|write| &write.events).map(|event| event.id);
    let fresh = !ids().any(|id| taken.contains(&id));
    if fresh {
        taken.extend(ids());
    }
    fresh
}

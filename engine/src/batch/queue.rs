//! The way in: a bounded queue with one answer for each append.

use super::Intake;
use crate::{AppendError, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, Committed, StoreError};
use std::{collections::HashSet, iter::Peekable, vec::IntoIter};
use tokio::sync::{mpsc, oneshot};

/// How many appends wait for the writer at most; whoever comes then waits to get in line.
pub const QUEUED_APPENDS_MAX: usize = 1_024;

/// The way to a store's one writer. `A` is what else that writer does between appends, such as keeping a snapshot.
///
/// Closed when the [`Intake`] is dropped: then every append fails with a [`StoreError`] that says so.
#[derive(Debug)]
pub struct AppendQueue<A = ()> {
    items: mpsc::Sender<Item<A>>,
}

/// An append that waits for its answer. Dropping it tells the sender that the writer has ended.
#[derive(Debug)]
pub struct Pending {
    /// What is to be appended; [`Commit::check`] took it.
    pub commit: Commit,
    /// It builds on the append before it in the batch: to be written only if that one is newly written.
    pub follows: bool,
    pub(super) answer: oneshot::Sender<Result<Committed, AppendError>>,
}

/// The writer of the store is gone, and with it the answer.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error(
    "the writer of the store has ended: open the store again; send the append again, it is recognised if it arrived"
)]
pub struct WriterEnded;

#[derive(Debug)]
pub(super) enum Item<A> {
    Append(Pending),
    /// Each but the first follows the one before it. Never split between batches.
    Chain(Vec<Pending>),
    Aside(A),
}

/// A queue, and the end of it that the writer holds.
pub fn queue<A>() -> (AppendQueue<A>, Intake<A>) {
    let (items, receiver) = mpsc::channel(QUEUED_APPENDS_MAX);
    (AppendQueue { items }, Intake::new(receiver))
}

impl<A> AppendQueue<A> {
    /// Checks `commit`, gets it in line, and waits for its own answer.
    ///
    /// Once it is in line it is carried out, also when this future is dropped.
    pub async fn append(&self, commit: Commit) -> Result<Committed, AppendError> {
        commit.check()?;
        let (answer, answered) = oneshot::channel();
        let pending = Pending { commit, follows: false, answer };
        self.send(Item::Append(pending)).await?;
        answered.await.unwrap_or_else(|_| Err(ended().into()))
    }

    /// Carries out [`EventStore::append_chain`](crate::EventStore::append_chain): in one batch what fits in one.
    pub async fn append_chain(&self, commits: Vec<Commit>) -> Vec<Result<Committed, AppendError>> {
        let mut answers = Vec::with_capacity(commits.len());
        let mut rest = commits.into_iter().peekable();
        while rest.peek().is_some() {
            let (part, refused) = fitting(&mut rest);
            let mut waiting = Vec::with_capacity(part.len());
            let chain = part.into_iter().enumerate().map(|(index, commit)| {
                let (answer, answered) = oneshot::channel();
                waiting.push(answered);
                Pending { commit, follows: index > 0, answer }
            });
            let chain: Vec<Pending> = chain.collect();
            if !chain.is_empty()
                && let Err(error) = self.send(Item::Chain(chain)).await
            {
                answers.push(Err(error.into()));
                return answers;
            }
            for answered in waiting {
                let answer = answered.await.unwrap_or_else(|_| Err(ended().into()));
                let goes_on = answer.as_ref().is_ok_and(|committed| !committed.repeated);
                answers.push(answer);
                if !goes_on {
                    return answers;
                }
            }
            if let Some(error) = refused {
                answers.push(Err(error));
                return answers;
            }
        }
        answers
    }

    /// Hands the writer something else to do in its next transaction. Who needs an answer puts a way for it in.
    pub async fn aside(&self, aside: A) -> Result<(), StoreError> {
        self.send(Item::Aside(aside)).await
    }

    async fn send(&self, item: Item<A>) -> Result<(), StoreError> {
        self.items.send(item).await.map_err(|_| ended())
    }
}

impl Pending {
    pub(super) fn answer(self, result: Result<Committed, AppendError>) {
        // Nobody listens when the sender's future was dropped; what was done stays done.
        let _ = self.answer.send(result);
    }
}

/// The next part of a chain that fits in one batch, and why the commit behind it is none. No id stands in it twice: a
/// repeat is recognised by what is in the log, and would spoil the batch for others.
fn fitting(rest: &mut Peekable<IntoIter<Commit>>) -> (Vec<Commit>, Option<AppendError>) {
    let (mut part, mut events, mut bytes, mut ids) = (vec![], 0, 0, HashSet::new());
    while let Some(next) = rest.peek() {
        if let Err(refused) = next.check() {
            return (part, Some(refused));
        }
        (events, bytes) = (events + next.events(), bytes + next.bytes());
        let mut own = next.writes().iter().flat_map(|write| &write.events).map(|event| event.id);
        let repeats = own.any(|id| !ids.insert(id));
        if !part.is_empty() && (repeats || events > COMMIT_EVENTS_MAX || bytes > COMMIT_BYTES_MAX) {
            break;
        }
        part.extend(rest.next());
    }
    (part, None)
}

fn ended() -> StoreError {
    StoreError::permanent("appending", WriterEnded)
}

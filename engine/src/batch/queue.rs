//! The way in: a bounded queue with one answer for each append.

use super::Intake;
use crate::{AppendError, Commit, Committed, StoreError};
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
        let pending = Pending { commit, answer };
        self.send(Item::Append(pending)).await?;
        answered.await.unwrap_or_else(|_| Err(ended().into()))
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

fn ended() -> StoreError {
    StoreError::permanent("appending", WriterEnded)
}

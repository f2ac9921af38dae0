//! Faults of losing a connection: the first append behind a cut finds it lost.

use super::*;
use std::sync::atomic::{AtomicBool, Ordering};

/// Whether the connection was cut since it was used.
#[derive(Default)]
struct Connection(AtomicBool);

impl Connection {
    fn cut(&self) -> bool {
        self.0.store(true, Ordering::SeqCst);
        true
    }

    fn is_lost(&self) -> bool {
        self.0.swap(false, Ordering::SeqCst)
    }
}

fn lost() -> AppendError {
    StoreError::transient("appending", "the connection was lost").into()
}

/// The sound one: what was sent has arrived, and its answer is lost.
#[derive(Default)]
pub(super) struct SaysItIsCut(Connection);

#[async_trait]
impl Fault for SaysItIsCut {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let is_lost = self.0.is_lost();
        let done = sound.append(commit).await;
        if is_lost { Err(lost()) } else { done }
    }

    fn cut(&self) -> bool {
        self.0.cut()
    }
}

/// Takes what was sent for done.
#[derive(Default)]
pub(super) struct AcknowledgesWhatIsLost(Connection);

#[async_trait]
impl Fault for AcknowledgesWhatIsLost {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        match self.0.is_lost() {
            true => Ok(Committed::new(vec![], Position::START, false)),
            false => sound.append(commit).await,
        }
    }

    fn cut(&self) -> bool {
        self.0.cut()
    }
}

#[derive(Default)]
pub(super) struct FailsForGood(Connection);

#[async_trait]
impl Fault for FailsForGood {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        match self.0.is_lost() {
            true => Err(StoreError::permanent("appending", "the connection was lost").into()),
            false => sound.append(commit).await,
        }
    }

    fn cut(&self) -> bool {
        self.0.cut()
    }
}

/// The answer is lost, and the repeat is not recognised.
#[derive(Default)]
pub(super) struct WritesAgain(Connection);

#[async_trait]
impl Fault for WritesAgain {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let is_lost = self.0.is_lost();
        let done = ForgetsIds.append(sound, commit).await;
        if is_lost { Err(lost()) } else { done }
    }

    fn cut(&self) -> bool {
        self.0.cut()
    }
}

/// Says that it was cut, and goes on: the promise would show nothing.
#[derive(Default)]
pub(super) struct NeverCut;

#[async_trait]
impl Fault for NeverCut {
    fn cut(&self) -> bool {
        true
    }
}

//! Commands of one process for one stream queue up instead of fighting each other.

use crate::StreamId;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};
use tokio::sync::{Mutex, MutexGuard};

/// How many gates there are. Two streams share one by chance: with 64 commands at work, about one pair in two does.
pub const GATES: usize = 4_096;

/// One lock per stream, more or less: a stream always meets the same one.
pub(super) struct Gates(Box<[Mutex<()>]>);

impl Gates {
    pub(super) fn new() -> Self {
        Self((0..GATES).map(|_| Mutex::new(())).collect())
    }

    /// Waits for the turn of a command on `stream`; first come, first served.
    pub(super) async fn enter(&self, stream: &StreamId) -> MutexGuard<'_, ()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(stream);
        self.0[hash as usize % self.0.len()].lock().await
    }
}

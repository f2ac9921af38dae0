//! Commands: load, decide, append.

mod cache;
mod execute;
mod gate;
mod keeper;
mod load;
mod outcome;
mod run;
#[cfg(test)]
mod tests;

pub use gate::GATES;
pub use keeper::SNAPSHOTS_AT_ONCE_MAX;
pub use load::{At, State};
pub use outcome::{Done, ExecuteError, Failure};
pub use run::RUN_COMMANDS_MAX;

use crate::{EventStore, SnapshotStore};
use cache::Cache;
use gate::Gates;
use keeper::Keeper;
use std::{fmt, sync::Arc};

/// How often a command is tried when other processes keep changing its stream, unless told otherwise.
pub const ATTEMPTS_MAX: u32 = 8;

/// How many states of hot aggregates are kept, unless told otherwise.
pub const CACHE_ENTRIES_MAX: usize = 10_000;

/// Carries out commands on aggregates of any kind, and loads them. A service has one and shares it.
///
/// ```
/// # use annals::{Aggregate, Context, DomainEvent, Engine, MemoryStore};
/// # use serde::{Deserialize, Serialize};
/// # #[derive(Serialize, Deserialize)] enum Counted { Up { by: u32 } }
/// # impl DomainEvent for Counted { const CATEGORY: &'static str = "counter"; }
/// # #[derive(Default, Clone)] struct Counter { count: u32 }
/// # impl Aggregate for Counter {
/// #     type Id = str; type Command = u32; type Event = Counted; type Rejection = std::convert::Infallible;
/// #     fn decide(&self, by: &u32) -> Result<Vec<Counted>, Self::Rejection> { Ok(vec![Counted::Up { by: *by }]) }
/// #     fn evolve(&mut self, Counted::Up { by }: &Counted) { self.count += by }
/// # }
/// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let engine = Engine::new(std::sync::Arc::new(MemoryStore::new()));
/// let done = engine.execute::<Counter>("visitors", &3, Context::keyed("request 1")).await?;
/// let again = engine.execute::<Counter>("visitors", &3, Context::keyed("request 1")).await?;
/// assert!(again.repeated && again.position == done.position);
/// assert_eq!(engine.load::<Counter>("visitors").await?.state.count, 3);
/// # Ok(()) }
/// ```
pub struct Engine {
    store: Arc<dyn EventStore>,
    snapshots: Option<Arc<dyn SnapshotStore>>,
    cache: Cache,
    gates: Gates,
    keeper: Keeper,
    attempts_max: u32,
}

impl Engine {
    /// An engine over `store`, with a cache of [`CACHE_ENTRIES_MAX`] and without snapshots.
    pub fn new(store: Arc<dyn EventStore>) -> Self {
        Self {
            store,
            snapshots: None,
            cache: Cache::new(CACHE_ENTRIES_MAX),
            gates: Gates::new(),
            keeper: Keeper::new(),
            attempts_max: ATTEMPTS_MAX,
        }
    }

    /// Keeps snapshots of the aggregates that ask for them.
    #[must_use]
    pub fn with_snapshots(self, snapshots: Arc<dyn SnapshotStore>) -> Self {
        Self { snapshots: Some(snapshots), ..self }
    }

    /// Keeps at most so many states of hot aggregates; 0 for none.
    #[must_use]
    pub fn cache_entries_max(self, entries: usize) -> Self {
        Self { cache: Cache::new(entries), ..self }
    }

    /// Tries a command at most so often when other processes keep changing its stream; at least once.
    #[must_use]
    pub fn attempts_max(self, attempts: u32) -> Self {
        Self { attempts_max: attempts.max(1), ..self }
    }

    /// The store under it.
    pub fn store(&self) -> &Arc<dyn EventStore> {
        &self.store
    }

    /// Waits until the snapshots that commands have called for are kept: before a service stops, and in tests.
    pub async fn snapshots_kept(&self) {
        self.keeper.idle().await;
    }
}

impl fmt::Debug for Engine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Engine").field("attempts_max", &self.attempts_max).finish_non_exhaustive()
    }
}

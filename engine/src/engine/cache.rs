//! A bounded cache of the states of hot aggregates.

use super::load::Loaded;
use crate::{Aggregate, Position, StreamId, Version};
use std::{
    any::{Any, TypeId},
    sync::{Arc, Mutex},
};

type Key = (TypeId, StreamId);

/// States of hot aggregates, each as of a version that was once the stream's. A state may be old: an append checks
/// its version, and a rejection is never based on it alone.
pub(super) struct Cache(Option<quick_cache::sync::Cache<Key, Slot>>);

/// Keeps its place in the cache while a command works on its state; so the cache knows what is hot.
type Slot = Arc<Mutex<Option<Entry>>>;

struct Entry {
    state: Arc<dyn Any + Send + Sync>,
    version: Version,
    position: Position,
}

impl Cache {
    pub(super) fn new(entries_max: usize) -> Self {
        Self((entries_max > 0).then(|| quick_cache::sync::Cache::new(entries_max)))
    }

    /// Takes the state out, so that whoever has it can change it in place. Not putting it back costs a reload.
    pub(super) fn take<A: Aggregate>(&self, stream: &StreamId) -> Option<Loaded<A>> {
        let slot = self.0.as_ref()?.get(&key::<A>(stream))?;
        let entry = slot.lock().expect("no holder panics").take()?;
        let state = entry.state.downcast().ok()?;
        Some(Loaded {
            state,
            version: entry.version,
            position: entry.position,
            may_be_old: true,
            snapshot: None,
        })
    }

    /// Puts a state back, unless a newer one is there.
    pub(super) fn put<A: Aggregate>(&self, stream: &StreamId, loaded: Loaded<A>) {
        let Some(cache) = &self.0 else { return };
        if loaded.version == Version::EMPTY {
            return;
        }
        let entry = Entry { state: loaded.state, version: loaded.version, position: loaded.position };
        let key = key::<A>(stream);
        match cache.get(&key) {
            Some(slot) => {
                let mut slot = slot.lock().expect("no holder panics");
                if slot.as_ref().is_none_or(|there| there.version <= entry.version) {
                    *slot = Some(entry);
                }
            }
            None => cache.insert(key, Arc::new(Mutex::new(Some(entry)))),
        }
    }
}

fn key<A: Aggregate>(stream: &StreamId) -> Key {
    (TypeId::of::<A>(), stream.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture::StockItem;

    const ENTRIES_MAX: usize = 100;

    fn loaded() -> Loaded<StockItem> {
        let (version, position) = (Version::new(1), Position::new(1));
        Loaded { state: Arc::default(), version, position, may_be_old: false, snapshot: None }
    }

    fn filled(entries_max: usize, streams: u32) -> (Cache, Vec<StreamId>) {
        let cache = Cache::new(entries_max);
        let streams: Vec<_> = (0..streams).map(|key| StreamId::new("stock", key).unwrap()).collect();
        streams.iter().for_each(|stream| cache.put(stream, loaded()));
        (cache, streams)
    }

    fn kept((cache, streams): (Cache, Vec<StreamId>)) -> usize {
        streams.iter().filter(|stream| cache.take::<StockItem>(stream).is_some()).count()
    }

    /// Broken on purpose: with a cache of ten times the size all of them are kept.
    #[test]
    fn no_more_states_are_kept_than_the_bound_says() {
        assert_eq!(kept(filled(ENTRIES_MAX, 10)), 10);
        let of_many = kept(filled(ENTRIES_MAX, 1_000));
        assert!((1..=ENTRIES_MAX).contains(&of_many), "{of_many} of 1 000 are kept");
        assert_eq!(kept(filled(0, 10)), 0);
    }
}

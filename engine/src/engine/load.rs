//! From a stream to the state of its aggregate.

use super::{Engine, Failure, keeper};
use crate::{
    Aggregate, DomainEvent, PageLimit, Position, StreamId, Version, VersionRange, decode_recorded, retry,
};
use chrono::{DateTime, Utc};
use std::sync::Arc;

/// The state of an aggregate, and where its stream stood.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct State<A> {
    /// The state.
    pub state: Arc<A>,
    /// The version of the last event in it; [`Version::EMPTY`] when there is no such stream.
    pub version: Version,
    /// The position of that event.
    pub position: Position,
}

/// A moment in the life of a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum At {
    /// After the event with this version; after the last one where the stream is shorter.
    Version(Version),
    /// After the last event recorded at or before this time.
    Time(DateTime<Utc>),
}

/// A state on its way through a command.
pub(super) struct Loaded<A> {
    /// Shared with whoever asked for it; changed in place when nobody did.
    pub(super) state: Arc<A>,
    pub(super) version: Version,
    pub(super) position: Position,
    /// It came from the cache: others may have changed the stream since.
    pub(super) may_be_old: bool,
    /// The version of the snapshot it was made from, when it was loaded from the store; none is version 0.
    pub(super) snapshot: Option<Version>,
}

impl Engine {
    /// The state of the aggregate `id`, with everything that was committed before the call.
    pub async fn load<A: Aggregate>(&self, id: &A::Id) -> Result<State<A>, Failure> {
        self.load_from(&StreamId::new(A::Event::CATEGORY, id)?).await
    }

    /// The state of the aggregate in `stream`: for those of a tenant.
    pub async fn load_from<A: Aggregate>(&self, stream: &StreamId) -> Result<State<A>, Failure> {
        check_category::<A>(stream)?;
        let mut loaded = self.cached_or_stored::<A>(stream).await?;
        if loaded.may_be_old {
            self.read_tail(stream, &mut loaded).await?;
        }
        let state = State { state: loaded.state.clone(), version: loaded.version, position: loaded.position };
        self.cache.put(stream, loaded);
        Ok(state)
    }

    /// What the aggregate `id` looked like at an earlier time, by folding its history up to there.
    pub async fn load_at<A: Aggregate>(&self, id: &A::Id, at: At) -> Result<State<A>, Failure> {
        self.load_from_at(&StreamId::new(A::Event::CATEGORY, id)?, at).await
    }

    /// What the aggregate in `stream` looked like at an earlier time: for those of a tenant.
    pub async fn load_from_at<A: Aggregate>(&self, stream: &StreamId, at: At) -> Result<State<A>, Failure> {
        check_category::<A>(stream)?;
        let mut loaded = Loaded::<A>::empty();
        self.read_while(stream, &mut loaded, at).await?;
        Ok(State { state: loaded.state, version: loaded.version, position: loaded.position })
    }

    pub(super) async fn cached_or_stored<A: Aggregate>(
        &self,
        stream: &StreamId,
    ) -> Result<Loaded<A>, Failure> {
        if let Some(loaded) = self.cache.take(stream) {
            return Ok(loaded);
        }
        let mut loaded = keeper::from_snapshot(self.snapshots.as_deref(), stream).await;
        self.read_tail(stream, &mut loaded).await?;
        Ok(loaded)
    }

    /// Takes in what came to the stream since.
    pub(super) async fn read_tail<A: Aggregate>(
        &self,
        stream: &StreamId,
        loaded: &mut Loaded<A>,
    ) -> Result<(), Failure> {
        self.read_while(stream, loaded, At::Version(Version::new(u64::MAX))).await?;
        loaded.may_be_old = false;
        Ok(())
    }

    async fn read_while<A: Aggregate>(
        &self,
        stream: &StreamId,
        loaded: &mut Loaded<A>,
        until: At,
    ) -> Result<(), Failure> {
        let (through, time) = match until {
            At::Version(version) => (version, DateTime::<Utc>::MAX_UTC),
            At::Time(time) => (Version::new(u64::MAX), time),
        };
        loop {
            let range = VersionRange::after(loaded.version).through(through);
            let page = retry::transient(|| self.store.read(stream, range, PageLimit::DEFAULT)).await?;
            let full = page.len() == PageLimit::DEFAULT.get();
            let state = Arc::make_mut(&mut loaded.state);
            for recorded in &page {
                if recorded.recorded_at > time {
                    return Ok(());
                }
                decode_recorded(recorded, &mut |event| state.evolve(&event))?;
                (loaded.version, loaded.position) = (recorded.version, recorded.position);
            }
            if !full {
                return Ok(());
            }
        }
    }
}

impl<A: Aggregate> Loaded<A> {
    pub(super) fn empty() -> Self {
        Self {
            state: Arc::new(A::default()),
            version: Version::EMPTY,
            position: Position::START,
            may_be_old: false,
            snapshot: Some(Version::EMPTY),
        }
    }
}

pub(super) fn check_category<A: Aggregate>(stream: &StreamId) -> Result<(), Failure> {
    if stream.category() == A::Event::CATEGORY {
        return Ok(());
    }
    Err(Failure::Category { stream: stream.clone(), category: A::Event::CATEGORY })
}

//! Faults in what is kept of an event, and of a stream.

use super::*;

/// Gives the two events of neighbouring positions each other's version.
#[derive(Default)]
pub(super) struct SwapsVersions;

#[async_trait]
impl Fault for SwapsVersions {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let mut page = sound.read_log(after, limit, filter).await?;
        let at = page.events.windows(2).position(|pair| pair[0].stream == pair[1].stream);
        if let Some(at) = at {
            let (left, right) = page.events.split_at_mut(at + 1);
            std::mem::swap(&mut left[at].version, &mut right[0].version);
        }
        Ok(page)
    }
}

#[derive(Default)]
pub(super) struct ParsesPayloads;

#[async_trait]
impl Fault for ParsesPayloads {
    async fn read(
        &self,
        sound: &MemoryStore,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Events {
        let mut events = sound.read(stream, range, limit).await?;
        for event in &mut events {
            // What does not parse is left as it is.
            if let Ok(value) = event.payload.read::<serde_json::Value>() {
                event.payload = Json::of(&value).map_err(|e| StoreError::permanent("writing JSON", e))?;
            }
        }
        Ok(events)
    }
}

#[derive(Default)]
pub(super) struct ParsesInTheLog;

#[async_trait]
impl Fault for ParsesInTheLog {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let mut page = sound.read_log(after, limit, filter).await?;
        for event in &mut page.events {
            if let Ok(value) = event.payload.read::<serde_json::Value>() {
                event.payload = Json::of(&value).map_err(|e| StoreError::permanent("writing JSON", e))?;
            }
        }
        Ok(page)
    }
}

#[derive(Default)]
pub(super) struct CutsPayloads;

#[async_trait]
impl Fault for CutsPayloads {
    async fn read(
        &self,
        sound: &MemoryStore,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Events {
        let mut events = sound.read(stream, range, limit).await?;
        for event in &mut events {
            let cut: String = event.payload.as_str().chars().take(65_536).collect();
            event.payload = Json::stored(cut);
        }
        Ok(events)
    }
}

#[derive(Default)]
pub(super) struct FoldsCase;

#[async_trait]
impl Fault for FoldsCase {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let folded = rebuilt(&commit, |write| {
            let name = write.stream.as_str().to_ascii_lowercase();
            (name.parse().expect("a name stays one"), write.expected, write.events.clone())
        });
        sound.append(folded).await
    }
}

#[derive(Default)]
pub(super) struct FoldsCaseOfTypes;

#[async_trait]
impl Fault for FoldsCaseOfTypes {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let folded = |event: &EventData| {
            let mut event = event.clone();
            event.event_type = event.event_type.to_ascii_lowercase().as_str().into();
            event
        };
        let commit = rebuilt(&commit, |write| {
            (write.stream.clone(), write.expected, write.events.iter().map(folded).collect())
        });
        sound.append(commit).await
    }
}

#[derive(Default)]
pub(super) struct KeepsRefused;

#[async_trait]
impl Fault for KeepsRefused {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let refused = sound.append(commit.clone()).await;
        if refused.is_err() {
            let first = commit.writes()[0].stream.clone();
            let kept = EventData::raw(EventId::random(), "Kept", 1, Json::empty());
            sound.append(Commit::to(first, Expected::Any, [kept])).await?;
        }
        refused
    }
}

#[derive(Default)]
pub(super) struct TighterLimits;

#[async_trait]
impl Fault for TighterLimits {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        if commit.events() >= annals::COMMIT_EVENTS_MAX {
            return Err(AppendError::TooLarge { what: "events", is: commit.events(), max: 999 });
        }
        sound.append(commit).await
    }
}

/// Each position was recorded a second before the one below it.
#[derive(Default)]
pub(super) struct ClockGoesBack;

#[async_trait]
impl Fault for ClockGoesBack {
    async fn read_log(
        &self,
        sound: &MemoryStore,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Page {
        let mut page = sound.read_log(after, limit, filter).await?;
        for event in &mut page.events {
            event.recorded_at -= TimeDelta::milliseconds(event.position.get() as i64);
        }
        Ok(page)
    }
}

/// Never tells that the head has moved.
pub(super) struct Deaf(watch::Sender<Position>);

impl Default for Deaf {
    fn default() -> Self {
        Self(watch::Sender::new(Position::START))
    }
}

impl Fault for Deaf {
    fn head(&self, _: &MemoryStore) -> watch::Receiver<Position> {
        self.0.subscribe()
    }
}

#[derive(Default)]
pub(super) struct OnlyForwards;

#[async_trait]
impl Fault for OnlyForwards {
    async fn read(
        &self,
        sound: &MemoryStore,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Events {
        sound.read(stream, VersionRange::after(range.lower()).through(range.upper()), limit).await
    }
}

#[derive(Default)]
pub(super) struct CountsFromZero;

#[async_trait]
impl Fault for CountsFromZero {
    async fn read(
        &self,
        sound: &MemoryStore,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Events {
        let mut events = sound.read(stream, range, limit).await?;
        for event in &mut events {
            event.version = Version::new(event.version.get() - 1);
        }
        // Or the reader would go round for ever.
        if range.lower() > Version::EMPTY {
            events.clear();
        }
        Ok(events)
    }
}

#[derive(Default)]
pub(super) struct ListsUnordered;

#[async_trait]
impl Fault for ListsUnordered {
    async fn streams(
        &self,
        sound: &MemoryStore,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        let mut listed = sound.streams(filter, after, limit).await?;
        listed.sort_by_key(|info| std::cmp::Reverse(info.version));
        Ok(listed)
    }
}

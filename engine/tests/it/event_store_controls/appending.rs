//! Faults of appending.

use super::*;

#[derive(Default)]
pub(super) struct IgnoresVersions;

#[async_trait]
impl Fault for IgnoresVersions {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        sound.append(expecting(&commit, |_| Expected::Any)).await
    }
}

/// Checks the versions, lets others go, and writes then.
#[derive(Default)]
pub(super) struct ChecksTooEarly;

#[async_trait]
impl Fault for ChecksTooEarly {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        for write in commit.writes() {
            let last = sound.read(&write.stream, VersionRange::ALL.backwards(), PageLimit::ONE).await?;
            let actual = last.first().map_or(Version::EMPTY, |event| event.version);
            if !write.expected.holds(actual) {
                let (stream, expected) = (write.stream.clone(), write.expected);
                return Err(AppendError::Conflict { stream, expected, actual });
            }
        }
        tokio::task::yield_now().await;
        sound.append(expecting(&commit, |_| Expected::Any)).await
    }
}

#[derive(Default)]
pub(super) struct ForgetsIds;

#[async_trait]
impl Fault for ForgetsIds {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let fresh = |event: &EventData| {
            let mut event = event.clone();
            event.id = EventId::random();
            event
        };
        let commit = rebuilt(&commit, |write| {
            (write.stream.clone(), write.expected, write.events.iter().map(fresh).collect())
        });
        sound.append(commit).await
    }
}

#[derive(Default)]
pub(super) struct ConflictFirst;

#[async_trait]
impl Fault for ConflictFirst {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        for write in commit.writes() {
            let last = sound.read(&write.stream, VersionRange::ALL.backwards(), PageLimit::ONE).await?;
            let actual = last.first().map_or(Version::EMPTY, |event| event.version);
            if !write.expected.holds(actual) {
                let (stream, expected) = (write.stream.clone(), write.expected);
                return Err(AppendError::Conflict { stream, expected, actual });
            }
        }
        sound.append(commit).await
    }
}

/// The commit that holds an event, wherever in it and on whatever stream the event stands.
async fn commit_with(sound: &MemoryStore, id: EventId) -> Result<Option<Committed>, StoreError> {
    let log = sound.read_log(Position::START, PageLimit::MAX, &LogFilter::all()).await?.events;
    let Some(at) = log.iter().position(|event| event.id == id) else { return Ok(None) };
    let first = &log[at - log[at].commit.index as usize];
    sound.committed(&first.stream, first.id).await
}

#[derive(Default)]
pub(super) struct AnyIdIsARepeat;

#[async_trait]
impl Fault for AnyIdIsARepeat {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        for event in commit.writes().iter().flat_map(|write| &write.events) {
            if let Some(first_result) = commit_with(sound, event.id).await? {
                return Ok(first_result);
            }
        }
        sound.append(commit).await
    }
}

#[derive(Default)]
pub(super) struct FindsAnything;

#[async_trait]
impl Fault for FindsAnything {
    async fn committed(
        &self,
        sound: &MemoryStore,
        _: &StreamId,
        id: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        commit_with(sound, id).await
    }
}

/// Commits stream by stream.
#[derive(Default)]
pub(super) struct Tears;

#[async_trait]
impl Fault for Tears {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        commit.check()?;
        let (mut streams, mut position, mut repeated) = (Vec::new(), Position::START, false);
        for write in commit.into_writes() {
            let part = sound.append(Commit::to(write.stream, write.expected, write.events)).await?;
            streams.extend(part.streams);
            (position, repeated) = (part.position, part.repeated);
            tokio::task::yield_now().await;
        }
        Ok(Committed::new(streams, position, repeated))
    }
}

/// Appends to all streams of a commit but the last.
#[derive(Default)]
pub(super) struct LeavesOutParts;

#[async_trait]
impl Fault for LeavesOutParts {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        let writes = commit.writes();
        let kept = &writes[..writes.len().saturating_sub(1).max(1)];
        let commit = kept[1..].iter().fold(
            Commit::to(kept[0].stream.clone(), kept[0].expected, kept[0].events.clone()),
            |commit, write| commit.and(write.stream.clone(), write.expected, write.events.clone()),
        );
        sound.append(commit).await
    }
}

/// Takes a commit that is none for one that has nothing to write.
#[derive(Default)]
pub(super) struct MendsCommits;

#[async_trait]
impl Fault for MendsCommits {
    async fn append(&self, sound: &MemoryStore, commit: Commit) -> Result<Committed, AppendError> {
        match commit.check() {
            Err(AppendError::Malformed { .. }) => Ok(Committed::new(vec![], Position::START, false)),
            _ => sound.append(commit).await,
        }
    }
}

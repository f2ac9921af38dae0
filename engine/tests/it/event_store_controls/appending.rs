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

/// Tries every commit of a chain, whatever became of the one before it.
#[derive(Default)]
pub(super) struct GoesOn;

#[async_trait]
impl Fault for GoesOn {
    async fn append_chain(
        &self,
        sound: &MemoryStore,
        commits: Vec<Commit>,
    ) -> Vec<Result<Committed, AppendError>> {
        let mut answers = vec![];
        for commit in commits {
            answers.push(sound.append(commit).await);
        }
        answers
    }
}

/// Appends a chain as one commit.
#[derive(Default)]
pub(super) struct JoinsChains;

#[async_trait]
impl Fault for JoinsChains {
    async fn append_chain(
        &self,
        sound: &MemoryStore,
        commits: Vec<Commit>,
    ) -> Vec<Result<Committed, AppendError>> {
        let events = commits.iter().flat_map(Commit::writes).flat_map(|write| write.events.clone());
        let joined = Commit::to(commits[0].writes()[0].stream.clone(), Expected::Any, events);
        let written = sound.append(joined).await;
        let first = |_: &Commit| {
            written.as_ref().map(Clone::clone).map_err(|_| AppendError::Unsupported { what: "it" })
        };
        commits.iter().map(first).collect()
    }
}

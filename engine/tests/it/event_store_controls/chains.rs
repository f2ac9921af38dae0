//! Faults of appending chains.

use super::*;

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

/// Writes the links of a chain without looking whether they are there.
#[derive(Default)]
pub(super) struct WritesLinksTwice;

#[async_trait]
impl Fault for WritesLinksTwice {
    async fn append_chain(
        &self,
        sound: &MemoryStore,
        commits: Vec<Commit>,
    ) -> Vec<Result<Committed, AppendError>> {
        let mut answers = vec![];
        for commit in commits {
            answers.push(ForgetsIds.append(sound, commit).await);
            if answers.last().is_some_and(Result::is_err) {
                break;
            }
        }
        answers
    }
}

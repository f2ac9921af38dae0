//! Several commands for one aggregate, in one go.

use super::{
    Done, Engine, ExecuteError, Failure,
    execute::{commit_of, count},
    load::{Loaded, check_category},
};
use crate::{
    Aggregate, AppendError, COMMIT_BYTES_MAX, COMMIT_EVENTS_MAX, Commit, Context, StreamId, Version,
};
use std::sync::Arc;

/// How many commands for one aggregate are decided ahead of their appends, at most.
pub const RUN_COMMANDS_MAX: usize = 64;

type Outcome<A> = Result<Done, ExecuteError<<A as Aggregate>::Rejection>>;

impl Engine {
    /// Carries out commands on the aggregate in `stream`, in order, with the answers that
    /// [`execute_on`](Engine::execute_on) would give one after the other. They are decided ahead and appended as a
    /// chain, so that many commands for one hot aggregate share one flush to the disk. Each is a commit of its own, and
    /// safe to repeat on its own.
    ///
    /// A rejection is an answer, and the next command follows. Stops at the first that is contended or fails: then the
    /// outcomes are fewer than the commands, and the last one says why.
    pub async fn execute_all_on<A: Aggregate>(
        &self,
        stream: &StreamId,
        commands: &[(&A::Command, Context)],
    ) -> Vec<Outcome<A>> {
        let mut outcomes = Vec::with_capacity(commands.len());
        if let Err(failure) = check_category::<A>(stream) {
            outcomes.push(Err(failure.into()));
            return outcomes;
        }
        while outcomes.len() < commands.len() {
            // Between two runs other commands have their turn.
            let _turn = self.gates.enter(stream).await;
            self.run::<A>(stream, &commands[outcomes.len()..], &mut outcomes).await;
            if matches!(outcomes.last(), Some(Err(ExecuteError::Contended { .. } | ExecuteError::Failed(_))))
            {
                break;
            }
        }
        outcomes.iter().for_each(count::<A>);
        outcomes
    }

    /// Carries out the first of `commands`, and as many behind it as can be decided ahead and hold.
    async fn run<A: Aggregate>(
        &self,
        stream: &StreamId,
        commands: &[(&A::Command, Context)],
        outcomes: &mut Vec<Outcome<A>>,
    ) {
        let ahead = match self.decide_ahead::<A>(stream, commands).await {
            Ok(ahead) => ahead,
            Err(failure) => return outcomes.push(Err(failure.into())),
        };
        let answered_before = outcomes.len();
        if let Some(ahead) = ahead {
            self.append_ahead(stream, ahead, outcomes).await;
        }
        // It leaves nothing, or others were faster: then it goes the way of a command of its own.
        if outcomes.len() == answered_before {
            let (command, context) = &commands[0];
            outcomes.push(self.attempt::<A>(stream, command, context).await);
        }
    }

    async fn append_ahead<A: Aggregate>(
        &self,
        stream: &StreamId,
        ahead: Ahead<A>,
        outcomes: &mut Vec<Outcome<A>>,
    ) {
        let Ahead { mut loaded, before, chain } = ahead;
        let mut open = chain.len();
        for answer in self.store.append_chain(chain).await {
            match answer {
                Ok(committed) => {
                    loaded.position = committed.position;
                    open -= usize::from(!committed.repeated);
                    outcomes.push(Ok(Done::of(stream, &committed, 1)));
                }
                // Others were faster, or an answer got lost: it is decided or sent again on its own.
                Err(AppendError::Conflict { .. }) => break,
                Err(AppendError::Store(error)) if error.is_transient() => break,
                Err(error) => outcomes.push(Err(Failure::from(error).into())),
            }
        }
        // One that was not written as decided takes the state with it that the others were decided on.
        if open == 0 {
            self.keeper.consider(self.snapshots.as_ref(), stream, before, &loaded);
            self.cache.put(stream, loaded);
        }
    }

    /// Decides commands one upon the other, up to the first that leaves no event; `None` when that is the first.
    async fn decide_ahead<A: Aggregate>(
        &self,
        stream: &StreamId,
        commands: &[(&A::Command, Context)],
    ) -> Result<Option<Ahead<A>>, Failure> {
        let mut loaded = self.cached_or_stored::<A>(stream).await?;
        let before = loaded.snapshot.unwrap_or(loaded.version);
        let (mut chain, mut events_in, mut bytes_in) = (vec![], 0, 0);
        for (command, context) in commands.iter().take(RUN_COMMANDS_MAX) {
            let Ok(events) = loaded.state.decide(command) else { break };
            let commit = match commit_of::<A>(stream, loaded.version, &events, context) {
                Ok(commit) => commit,
                Err(failure) if chain.is_empty() => return Err(failure),
                Err(_) => break,
            };
            (events_in, bytes_in) = (events_in + commit.events(), bytes_in + commit.bytes());
            let fits = events_in <= COMMIT_EVENTS_MAX && bytes_in <= COMMIT_BYTES_MAX;
            if events.is_empty() || !(fits || chain.is_empty()) {
                break;
            }
            chain.push(commit);
            let state = Arc::make_mut(&mut loaded.state);
            events.iter().for_each(|event| state.evolve(event));
            loaded.version = loaded.version.plus(events.len() as u64);
        }
        if chain.is_empty() {
            self.cache.put(stream, loaded);
            return Ok(None);
        }
        Ok(Some(Ahead { loaded, before, chain }))
    }
}

/// Commits that build on each other, and the state after them, if they hold.
struct Ahead<A> {
    loaded: Loaded<A>,
    /// Since when a snapshot is due.
    before: Version,
    chain: Vec<Commit>,
}

//! Load, decide, append, and again on a conflict.

use super::{
    Done, Engine, ExecuteError, Failure,
    load::{Loaded, check_category},
};
use crate::{
    Aggregate, AppendError, Commit, Committed, Context, DomainEvent, EventData, Expected, Json, StreamId,
    Version, retry,
};
use std::sync::Arc;

impl Engine {
    /// Carries out `command` on the aggregate `id`: its events are committed when this returns.
    ///
    /// The id in `context` makes the command safe to repeat. An arrival that left events is answered with exactly
    /// them for ever, even if the rules would refuse it now or would decide something else; one that left none is
    /// decided anew. Commands of this process for one aggregate wait for each other.
    ///
    /// Dropping the future does not take back what was already sent to the store.
    ///
    /// # Errors
    /// [`ExecuteError::Rejected`] is the domain's own answer, never based on an old state.
    /// [`ExecuteError::Contended`] after [`attempts_max`](Engine::attempts_max) conflicts with other processes.
    /// [`ExecuteError::Failed`] when something is broken; after a transient failure of the store, which has been
    /// retried within bounds, the command may or may not have arrived: send it again under the same id.
    pub async fn execute<A: Aggregate>(
        &self,
        id: &A::Id,
        command: &A::Command,
        context: Context,
    ) -> Result<Done, ExecuteError<A::Rejection>> {
        let stream = StreamId::new(A::Event::CATEGORY, id).map_err(Failure::from)?;
        self.execute_on::<A>(&stream, command, context).await
    }

    /// Carries out `command` on the aggregate in `stream`: for those of a tenant.
    ///
    /// # Errors
    /// As [`execute`](Engine::execute).
    pub async fn execute_on<A: Aggregate>(
        &self,
        stream: &StreamId,
        command: &A::Command,
        context: Context,
    ) -> Result<Done, ExecuteError<A::Rejection>> {
        check_category::<A>(stream)?;
        let turn = self.gates.enter(stream).await;
        let outcome = self.attempt::<A>(stream, command, &context).await;
        drop(turn);
        count::<A>(&outcome);
        outcome
    }

    pub(super) async fn attempt<A: Aggregate>(
        &self,
        stream: &StreamId,
        command: &A::Command,
        context: &Context,
    ) -> Result<Done, ExecuteError<A::Rejection>> {
        let mut loaded = self.cached_or_stored::<A>(stream).await?;
        let mut attempts = 1;
        loop {
            let verdict = loaded.state.decide(command);
            let events = match verdict {
                Ok(events) if !events.is_empty() => events,
                // Nothing will be appended, so nothing would prove that the state is today's, or that the command
                // is no repeat: ask.
                verdict => match self.confirm(stream, &mut loaded, context).await? {
                    Confirmed::Moved => continue,
                    Confirmed::Earlier(committed) => {
                        self.cache.put(stream, loaded);
                        return Ok(Done::of(stream, &committed, attempts));
                    }
                    Confirmed::Nothing => return self.leave_nothing(stream, loaded, verdict, attempts),
                },
            };
            match self.append(stream, &loaded, &events, context).await {
                // What is stored are the events of the first arrival, not these: fold nothing.
                Ok(committed) if committed.repeated => {
                    self.cache.put(stream, loaded);
                    return Ok(Done::of(stream, &committed, attempts));
                }
                Ok(committed) => return Ok(self.take_in(stream, loaded, &events, &committed, attempts)),
                Err(Failure::Append(AppendError::Conflict { .. })) if attempts < self.attempts_max => {
                    attempts += 1;
                    self.read_tail(stream, &mut loaded).await?;
                }
                Err(Failure::Append(AppendError::Conflict { .. })) => {
                    return Err(ExecuteError::Contended { stream: stream.clone(), attempts });
                }
                Err(failure) => return Err(failure.into()),
            }
        }
    }

    /// What is behind a verdict that leaves no event: whether the stream has moved, and the command's earlier result.
    async fn confirm<A: Aggregate>(
        &self,
        stream: &StreamId,
        loaded: &mut Loaded<A>,
        context: &Context,
    ) -> Result<Confirmed, Failure> {
        let first_event = context.event_id(stream, 0);
        let (before, may_be_old) = (loaded.version, loaded.may_be_old);
        let (tail, earlier) = tokio::join!(
            async { if may_be_old { self.read_tail(stream, loaded).await } else { Ok(()) } },
            retry::transient(|| self.store.committed(stream, first_event)),
        );
        tail?;
        if let Some(committed) = earlier? {
            return Ok(Confirmed::Earlier(committed));
        }
        Ok(if loaded.version == before { Confirmed::Nothing } else { Confirmed::Moved })
    }

    fn leave_nothing<A: Aggregate>(
        &self,
        stream: &StreamId,
        loaded: Loaded<A>,
        verdict: Result<Vec<A::Event>, A::Rejection>,
        attempts: u32,
    ) -> Result<Done, ExecuteError<A::Rejection>> {
        let (version, position) = (loaded.version, loaded.position);
        self.cache.put(stream, loaded);
        verdict.map_err(ExecuteError::Rejected)?;
        Ok(Done { stream: stream.clone(), version, position, repeated: false, events: 0, attempts })
    }

    async fn append<A: Aggregate>(
        &self,
        stream: &StreamId,
        loaded: &Loaded<A>,
        events: &[A::Event],
        context: &Context,
    ) -> Result<Committed, Failure> {
        let commit = commit_of::<A>(stream, loaded.version, events, context)?;
        // A connection lost on the way leaves it open whether the commit arrived. Sending the same again is safe:
        // the store recognises its first event id (C5).
        Ok(retry::transient(|| self.store.append(commit.clone())).await?)
    }

    fn take_in<A: Aggregate>(
        &self,
        stream: &StreamId,
        mut loaded: Loaded<A>,
        events: &[A::Event],
        committed: &Committed,
        attempts: u32,
    ) -> Done {
        let state = Arc::make_mut(&mut loaded.state);
        events.iter().for_each(|event| state.evolve(event));
        let done = Done::of(stream, committed, attempts);
        // A stream that was loaded from far behind earns a snapshot as one that has just grown does.
        let before = loaded.snapshot.unwrap_or(loaded.version);
        (loaded.version, loaded.position) = (done.version, done.position);
        self.keeper.consider(self.snapshots.as_ref(), stream, before, &loaded);
        self.cache.put(stream, loaded);
        done
    }
}

enum Confirmed {
    /// The stream has moved: decide again.
    Moved,
    /// The command left these events when it arrived before.
    Earlier(Committed),
    /// The state is today's and the command has left nothing.
    Nothing,
}

/// What the events of a command are appended as.
pub(super) fn commit_of<A: Aggregate>(
    stream: &StreamId,
    version: Version,
    events: &[A::Event],
    context: &Context,
) -> Result<Commit, Failure> {
    let metadata = Json::of(context.metadata()).expect("metadata is plain text");
    let encode = |(event, ordinal)| {
        EventData::of(context.event_id(stream, ordinal), event, Json::empty())
            .map(|data| data.with_metadata(metadata.clone()))
    };
    let data = events.iter().zip(0..).map(encode).collect::<Result<Vec<_>, _>>()?;
    Ok(Commit::to(stream.clone(), Expected::Exactly(version), data))
}

pub(super) fn count<A: Aggregate>(outcome: &Result<Done, ExecuteError<A::Rejection>>) {
    let outcome = match outcome {
        Ok(done) if done.repeated => "repeated",
        Ok(done) if done.events == 0 => "nothing",
        Ok(_) => "done",
        Err(ExecuteError::Rejected(_)) => "rejected",
        Err(ExecuteError::Contended { .. }) => "contended",
        Err(ExecuteError::Failed(_)) => "failed",
    };
    metrics::counter!("annals_commands", "category" => A::Event::CATEGORY, "outcome" => outcome).increment(1);
}

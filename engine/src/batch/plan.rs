//! Giving a batch its positions and versions, without asking the database.

use super::{Known, StreamAt};
use crate::{
    AppendError, Commit, Committed, EventData, Expected, PlaceInCommit, Position, StreamId, Version, Written,
};
use chrono::{DateTime, Utc};
use std::collections::HashMap;

/// What is to be done with a batch. Nothing of it is remembered until [`Known::confirm`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Plan<'a> {
    /// One for each commit, in their order.
    pub verdicts: Vec<Verdict<'a>>,
    /// The time of the whole batch.
    pub recorded_at: DateTime<Utc>,
    begins_behind: Position,
    head: Position,
    streams: HashMap<&'a StreamId, StreamAt>,
}

/// What becomes of one commit.
#[derive(Debug)]
pub enum Verdict<'a> {
    /// To be written. An id of it may still be in the log: the index on event ids knows.
    Accepted(Accepted<'a>),
    /// Not as expected. Not refused yet: a repeat is answered with its first result, whatever it expects, and a
    /// taken id is told before a conflict. True once the accepted ones before it are written.
    Doubtful {
        /// The first stream that is not as expected.
        stream: &'a StreamId,
        /// What the commit expected of it.
        expected: Expected,
        /// What it is at.
        actual: Version,
    },
}

/// A commit with its numbers.
#[derive(Debug)]
#[non_exhaustive]
pub struct Accepted<'a> {
    /// The commit.
    pub commit: &'a Commit,
    /// The position of its first event.
    pub first: Position,
    /// Where its events go: one for each of [`Commit::writes`].
    pub placed: Vec<Placed>,
}

/// Where the events of one stream go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Placed {
    /// What the rows know the stream by.
    pub stream: Position,
    /// The stream does not exist yet: a row for it comes first.
    pub is_new: bool,
    /// The version of the first event.
    pub first: Version,
}

/// One row of the log to be written.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Row<'a> {
    /// Its place in the log.
    pub position: Position,
    /// What its stream is known by.
    pub stream: Position,
    /// The name of its stream.
    pub stream_id: &'a StreamId,
    /// Its place in the stream.
    pub version: Version,
    /// Its place in the commit.
    pub commit: PlaceInCommit,
    /// The event.
    pub event: &'a EventData,
}

/// A commit on its way into a plan, and what it builds on.
#[derive(Debug, Clone, Copy)]
pub struct Link<'a> {
    /// The commit.
    pub commit: &'a Commit,
    /// What must be written for it to be.
    pub after: After,
}

/// What a commit builds on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum After {
    /// On nothing but the versions it expects.
    Nothing,
    /// On the one before it in the plan: doubtful if that is not accepted, whatever it expects.
    Previous,
    /// On one that will not be written now: doubtful, whatever it expects.
    Broken,
}

impl<'a> From<&'a Commit> for Link<'a> {
    fn from(commit: &'a Commit) -> Self {
        Self { commit, after: After::Nothing }
    }
}

impl Known {
    /// Numbers `commits` in their order. Each sees what those before it leave: an append that expects what one
    /// before it makes goes through with it, and of several that expect the same version of a stream the first is
    /// accepted, the rest are doubtful.
    ///
    /// `clock` is the time now. `look_up` is asked once for each stream that is not remembered; its error is
    /// handed on. It must not tell of one that began behind [`Known::head`]: that one would be taken for a stream that
    /// begins in the plan.
    pub fn plan<'a, E>(
        &self,
        commits: impl IntoIterator<Item = impl Into<Link<'a>>>,
        clock: DateTime<Utc>,
        mut look_up: impl FnMut(&StreamId) -> Result<StreamAt, E>,
    ) -> Result<Plan<'a>, E> {
        let mut plan = Plan {
            verdicts: vec![],
            recorded_at: self.time(clock),
            begins_behind: self.head,
            head: self.head,
            streams: HashMap::new(),
        };
        for link in commits {
            let Link { commit, after } = link.into();
            for write in commit.writes() {
                if !plan.streams.contains_key(&write.stream) {
                    let at = self.stream(&write.stream).map_or_else(|| look_up(&write.stream), Ok)?;
                    debug_assert!(at.id <= self.head, "{} began behind the head", write.stream);
                    plan.streams.insert(&write.stream, at);
                }
            }
            let holds = match after {
                After::Nothing => true,
                After::Previous => matches!(plan.verdicts.last(), Some(Verdict::Accepted(_))),
                After::Broken => false,
            };
            let verdict = plan.judge(commit, holds);
            plan.verdicts.push(verdict);
        }
        Ok(plan)
    }

    /// The plan was carried out: remembers what it left.
    pub fn confirm(&mut self, plan: &Plan<'_>) {
        if plan.head > self.head {
            (self.head, self.last_at) = (plan.head, plan.recorded_at);
        }
        for (&stream, &at) in &plan.streams {
            self.learn(stream, at);
        }
    }
}

impl<'a> Plan<'a> {
    /// Those to be written, in log order.
    pub fn accepted(&self) -> impl Iterator<Item = &Accepted<'a>> {
        self.verdicts.iter().filter_map(|verdict| match verdict {
            Verdict::Accepted(accepted) => Some(accepted),
            Verdict::Doubtful { .. } => None,
        })
    }

    /// The position of the last event once the plan was carried out.
    pub fn head(&self) -> Position {
        self.head
    }

    /// The position of the last event before it.
    pub fn begins_behind(&self) -> Position {
        self.begins_behind
    }

    /// Moves it behind `head`, where it was carried out because others had appended: positions change, and with them
    /// what streams that begin here are known by.
    pub fn move_behind(&mut self, head: Position) {
        let before = self.begins_behind;
        let moved = |position: Position| {
            if position > before { head.plus(position.get() - before.get()) } else { position }
        };
        for verdict in &mut self.verdicts {
            if let Verdict::Accepted(accepted) = verdict {
                accepted.first = moved(accepted.first);
                accepted.placed.iter_mut().for_each(|placed| placed.stream = moved(placed.stream));
            }
        }
        self.streams.values_mut().for_each(|at| at.id = moved(at.id));
        (self.begins_behind, self.head) = (head, moved(self.head));
    }

    fn at(&self, stream: &StreamId) -> StreamAt {
        self.streams.get(stream).copied().unwrap_or_default()
    }

    fn judge(&mut self, commit: &'a Commit, what_it_builds_on_holds: bool) -> Verdict<'a> {
        for write in commit.writes() {
            let actual = self.at(&write.stream).version;
            // A version that happens to fit does not make up for a state that never was.
            if !what_it_builds_on_holds || !write.expected.holds(actual) {
                return Verdict::Doubtful { stream: &write.stream, expected: write.expected, actual };
            }
        }
        let first = self.head.plus(1);
        let placed = commit.writes().iter().map(|write| {
            let (at, count) = (self.at(&write.stream), write.events.len() as u64);
            let is_new = at.version == Version::EMPTY;
            let stream = if is_new { self.head.plus(1) } else { at.id };
            self.streams.insert(&write.stream, StreamAt { id: stream, version: at.version.plus(count) });
            self.head = self.head.plus(count);
            Placed { stream, is_new, first: at.version.plus(1) }
        });
        let placed = placed.collect();
        Verdict::Accepted(Accepted { commit, first, placed })
    }
}

impl<'a> Accepted<'a> {
    /// The streams that do not exist yet, with what they will be known by.
    pub fn new_streams(&self) -> impl Iterator<Item = (&'a StreamId, Position)> {
        let writes = self.commit.writes().iter().zip(&self.placed);
        writes.filter(|(_, placed)| placed.is_new).map(|(write, placed)| (&write.stream, placed.stream))
    }

    /// Its rows, in log order.
    pub fn rows(&self) -> impl Iterator<Item = Row<'a>> {
        let size = self.commit.events() as u32;
        let parts = self.commit.writes().iter().zip(&self.placed);
        let events = parts.flat_map(|(write, placed)| {
            let versions = (0..).map(|count| placed.first.plus(count));
            write
                .events
                .iter()
                .zip(versions)
                .map(|(event, version)| (&write.stream, placed.stream, version, event))
        });
        events.zip(0..).map(move |((stream_id, stream, version, event), index)| Row {
            position: self.first.plus(u64::from(index)),
            stream,
            stream_id,
            version,
            commit: PlaceInCommit { index, size },
            event,
        })
    }

    /// The answer to its sender once it is durable.
    pub fn committed(&self) -> Committed {
        let written = self.commit.writes().iter().zip(&self.placed).map(|(write, placed)| {
            let last = placed.first.plus(write.events.len() as u64 - 1);
            Written::new(write.stream.clone(), placed.first, last)
        });
        let last = self.first.plus(self.commit.events() as u64 - 1);
        Committed::new(written.collect(), last, false)
    }
}

impl Verdict<'_> {
    /// The answer to its sender once the batch is durable and none of its ids was found in the log.
    pub fn answer(&self) -> Result<Committed, AppendError> {
        match *self {
            Self::Accepted(ref accepted) => Ok(accepted.committed()),
            Self::Doubtful { stream, expected, actual } => {
                Err(AppendError::Conflict { stream: stream.clone(), expected, actual })
            }
        }
    }
}

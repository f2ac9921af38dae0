//! The one task that appends.

use super::{
    Sql,
    checked::{self, Answer, Checked},
    due::Due,
    head,
    next::{Next, rows},
    reader::first_results,
    row::stream_id,
    types::Interned,
};
use crate::{
    failure::{self, ServerFailed},
    server::Server,
    session::Session,
};
use annals::{
    AppendError, Commit, Committed, EventData, Position, StreamId, Version,
    batch::{Intake, Known, Pending, StreamAt, Verdict},
};
use chrono::{DateTime, Utc};
use sqlx::{Error, Row};
use std::{
    collections::{HashMap, HashSet},
    convert::Infallible,
    sync::Arc,
    time::Duration,
};
use tokio::{sync::watch, time::Instant};

/// After the short way was refused, so many batches go the long way: whoever appends besides us goes on for a while,
/// and repeats come in swarms.
const LONG_BATCHES: u32 = 16;

/// How long the writer waits before it connects again, after the first failure and at most.
const RECONNECT_FIRST: Duration = Duration::from_millis(50);
const RECONNECT_MAX: Duration = Duration::from_secs(1);

type Outcome = Result<Committed, AppendError>;
type Answers = Vec<(Pending, Outcome)>;

/// The one task that appends, and what it remembers.
pub(super) struct Writer {
    server: Arc<Server>,
    sql: Arc<Sql>,
    head: Arc<watch::Sender<Position>>,
    session: Option<Session>,
    /// What is remembered was looked up since the connection was made, or since it was found to be wrong.
    is_fresh: bool,
    known: Known,
    types: Interned,
    /// When the server was started that all this is remembered of: a restored one may hold an older state.
    started: DateTime<Utc>,
    long_batches: u32,
    reconnect_wait: Duration,
    reconnect_at: Instant,
}

/// Carries out batches until every sender is gone.
pub(super) async fn run(mut writer: Writer, mut intake: Intake) {
    while let Some(batch) = intake.next().await {
        let (left, answers) = writer.short_way(Due::all(batch.appends)).await;
        intake.answer(answers);
        if !left.is_empty() {
            let answers = writer.long_way(left).await;
            intake.answer(answers);
        }
    }
}

impl Writer {
    pub(super) fn new(
        server: Arc<Server>,
        sql: Arc<Sql>,
        session: Session,
        head: Arc<watch::Sender<Position>>,
    ) -> Self {
        Self {
            server,
            sql,
            head,
            session: Some(session),
            is_fresh: false,
            known: Known::new(Position::START, DateTime::UNIX_EPOCH),
            types: Interned::default(),
            started: DateTime::UNIX_EPOCH,
            long_batches: 0,
            reconnect_wait: RECONNECT_FIRST,
            reconnect_at: Instant::now(),
        }
    }

    /// Writes right behind the head what is as expected; gives back what the long way must look at, and the answers
    /// to the rest.
    async fn short_way(&mut self, appends: Vec<Due>) -> (Vec<Due>, Answers) {
        if self.long_batches > 0 {
            self.long_batches -= 1;
            return (appends, vec![]);
        }
        match self.write_next(&appends).await {
            Ok(Some(outcomes)) => {
                let (mut left, mut answers) = (vec![], Vec::with_capacity(appends.len()));
                let mut is_written = false;
                for (due, outcome) in appends.into_iter().zip(outcomes) {
                    // What builds on one that is left waits for that one; the rest for nothing.
                    let due = if is_written { due.once_settled(true) } else { due };
                    is_written = outcome.is_some();
                    match outcome {
                        Some(outcome) => answers.push((due.pending, outcome)),
                        None => left.push(due),
                    }
                }
                (left, answers)
            }
            Ok(None) => {
                self.long_batches = LONG_BATCHES;
                (appends, vec![])
            }
            Err(error) if failure::is_about_data(&error) => (appends, vec![]),
            Err(error) => (vec![], self.refuse(appends, error)),
        }
    }

    /// Under the lock, each looked at.
    async fn long_way(&mut self, appends: Vec<Due>) -> Answers {
        match self.write_checked(&appends).await {
            Ok(outcomes) => appends.into_iter().map(|due| due.pending).zip(outcomes).collect(),
            Err(error) if failure::is_about_data(&error) => {
                let (mut answers, mut is_written) = (Vec::with_capacity(appends.len()), false);
                for due in appends {
                    let (pending, outcome) = self.alone(due.once_settled(is_written)).await;
                    is_written = outcome.as_ref().is_ok_and(|committed| !committed.repeated);
                    answers.push((pending, outcome));
                }
                answers
            }
            Err(error) => self.refuse(appends, error),
        }
    }

    /// One append by itself: so that one which the server cannot keep spoils no other.
    async fn alone(&mut self, due: Due) -> (Pending, Outcome) {
        let outcome = match self.write_checked(std::slice::from_ref(&due)).await {
            Ok(mut outcomes) => outcomes.pop().expect("one outcome for one append"),
            Err(error) if failure::is_about_data(&error) => {
                let reason =
                    "PostgreSQL keeps no such text: it is no JSON, holds a NUL, or is nested too deep";
                let stream = due.pending.commit.writes()[0].stream.clone();
                Err(AppendError::Malformed { stream, reason })
            }
            Err(error) => Err(self.failed(error).into()),
        };
        (due.pending, outcome)
    }

    /// `None` when nothing was written because what was remembered is wrong or an id is stored already; else an
    /// outcome for each, or none for one that is not as expected: that may be a repeat.
    async fn write_next(&mut self, appends: &[Due]) -> Result<Option<Vec<Option<Outcome>>>, Error> {
        self.make_ready().await?;
        let Self { session, known, types, sql, started, .. } = self;
        let session = session.as_mut().expect("it was made ready");
        let found = look_up(session, sql, known, appends).await?;
        // The server gives the time, not this clock.
        let plan = known.plan(appends, Utc::now(), |stream| {
            Ok::<_, Infallible>(found.get(stream).copied().unwrap_or_default())
        });
        let Ok(plan) = plan;
        if plan.accepted().next().is_some() {
            types.intern(session, sql, rows(&plan).map(|row| (row.stream_id, row.event))).await?;
            let query = Next::of(&plan, types).query(sql, *started, known.head().to_i64());
            let written = match session.rows(query).await {
                Ok(rows) => rows[0].try_get::<i16, _>(0)? == 0,
                Err(error) if failure::is_taken(&error) => false,
                Err(error) => return Err(error),
            };
            if !written {
                self.is_fresh = false;
                return Ok(None);
            }
        }
        known.confirm(&plan);
        let outcomes = plan.verdicts.iter().map(|verdict| match verdict {
            Verdict::Accepted(_) => Some(verdict.answer()),
            Verdict::Doubtful { .. } => None,
        });
        let outcomes = outcomes.collect();
        self.tell_head();
        Ok(Some(outcomes))
    }

    async fn write_checked(&mut self, appends: &[Due]) -> Result<Vec<Outcome>, Error> {
        self.make_ready().await?;
        let Self { session, known, types, sql, started, .. } = self;
        let session = session.as_mut().expect("it was made ready");
        types.intern(session, sql, events(appends)).await?;
        let answered = session.rows(Checked::of(appends, types).query(sql, *started)).await?;
        let (mut answers, mut repeats, mut head, mut before) =
            (vec![], vec![], Position::START, Position::START);
        for (row, due) in answered.iter().zip(appends) {
            let (answer, head_before) = checked::answer(row, &due.pending.commit)?;
            before = head_before;
            match &answer {
                Answer::Told(Ok(committed)) => head = head.max(committed.position),
                Answer::Told(Err(_)) => {}
                Answer::Repeated { first, size } => repeats.push((*first, *size)),
            }
            answers.push(answer);
        }
        if head > before || before != known.head() {
            // Versions were given that are not remembered, or somebody else appended.
            known.forget(head.max(before), DateTime::UNIX_EPOCH);
        }
        let mut results = first_arrivals(session, sql, &repeats).await?.into_iter();
        let outcomes = answers.into_iter().map(|answer| match answer {
            Answer::Told(outcome) => outcome,
            Answer::Repeated { .. } => Ok(results.next().expect("a result for each repeat")),
        });
        let outcomes = outcomes.collect();
        self.tell_head();
        Ok(outcomes)
    }

    /// Connects if need be, and looks at the log if what is remembered may be wrong.
    async fn make_ready(&mut self) -> Result<(), Error> {
        if self.session.is_none() {
            tokio::time::sleep_until(self.reconnect_at).await;
            let connected = self.server.connect().await;
            if connected.is_err() {
                self.reconnect_at = Instant::now() + self.reconnect_wait;
                self.reconnect_wait = (self.reconnect_wait * 2).min(RECONNECT_MAX);
            }
            self.session = Some(connected?);
            self.reconnect_wait = RECONNECT_FIRST;
        }
        if !self.is_fresh {
            let session = self.session.as_mut().expect("it was just made");
            let rows = session.rows(self.sql.head.query()).await?;
            self.known.forget(Position::from_i64(rows[0].try_get(0)?), DateTime::UNIX_EPOCH);
            let started = rows[0].try_get(2)?;
            if self.started != started {
                self.types = Interned::default();
                self.started = started;
            }
            self.is_fresh = true;
        }
        Ok(())
    }

    /// The same answer to all. Whether they arrived is not known when the connection was lost: sent again, they are
    /// recognised.
    fn refuse(&mut self, appends: Vec<Due>, error: Error) -> Answers {
        let failed = self.lose(error);
        let answer = |due: Due| (due.pending, Err(failed.store_error("appending").into()));
        appends.into_iter().map(answer).collect()
    }

    fn failed(&mut self, error: Error) -> annals::StoreError {
        self.lose(error).store_error("appending")
    }

    /// Forgets the connection, and with it all that was looked up through it.
    fn lose(&mut self, error: Error) -> ServerFailed {
        (self.session, self.is_fresh) = (None, false);
        self.types = Interned::default();
        ServerFailed::new(&self.server.place, error)
    }

    fn tell_head(&self) {
        head::tell(&self.head, self.known.head());
    }
}

/// The streams of `appends` that are not remembered.
///
/// Looked at after the head was: if nobody appends between that and the writing, which the writing proves, this is
/// how they are at the head.
async fn look_up(
    session: &mut Session,
    sql: &Sql,
    known: &Known,
    appends: &[Due],
) -> Result<HashMap<StreamId, StreamAt>, Error> {
    let streams = appends.iter().flat_map(|due| due.pending.commit.writes()).map(|write| &write.stream);
    let unknown: HashSet<&str> =
        streams.filter(|stream| known.stream(stream).is_none()).map(StreamId::as_str).collect();
    if unknown.is_empty() {
        return Ok(HashMap::new());
    }
    let rows = session.rows(sql.streams_at.query().bind(Vec::from_iter(unknown))).await?;
    let read = rows.iter().map(|row| {
        let (id, version): (i64, Option<i64>) = (row.try_get(1)?, row.try_get(2)?);
        let version = Version::from_i64(version.unwrap_or_default());
        Ok((stream_id(row.try_get(0)?)?, StreamAt { id: Position::from_i64(id), version }))
    });
    read.collect()
}

/// The first results of commits that arrived again.
async fn first_arrivals(
    session: &mut Session,
    sql: &Sql,
    repeats: &[(i64, i64)],
) -> Result<Vec<Committed>, Error> {
    if repeats.is_empty() {
        return Ok(vec![]);
    }
    let (firsts, sizes): (Vec<i64>, Vec<i64>) = repeats.iter().copied().unzip();
    let rows = session.rows(sql.commits_rows.query().bind(firsts).bind(sizes)).await?;
    first_results(&rows, repeats)
}

fn events(appends: &[Due]) -> impl Iterator<Item = (&StreamId, &EventData)> {
    let writes = appends.iter().map(|due| &due.pending.commit).flat_map(Commit::writes);
    writes.flat_map(|write| write.events.iter().map(move |event| (&write.stream, event)))
}

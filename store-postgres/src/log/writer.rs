//! The one task that appends.

use super::{
    Sql,
    checked::{self, Answer, Checked},
    due::Due,
    head,
    look_up::{events, first_arrivals, look_up},
    next::{Means, ShortWay, done, rows},
    notices::{Heard, Notices},
    reconnect::Reconnect,
    types::Interned,
    way::{Way, Written},
};
use crate::{
    failure::{self, ServerFailed},
    server::Server,
    session::Session,
};
use annals::{
    AppendError, Committed, Position,
    batch::{Batch, Intake, Known, Pending, Verdict},
};
use chrono::{DateTime, Utc};
use sqlx::{Error, Row, postgres::PgRow};
use std::{convert::Infallible, pin::Pin, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{Instant, Sleep},
};

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
    means: Means,
    known: Known,
    types: Interned,
    /// When the server was started that all this is remembered of: a restored one may hold an older state.
    started: DateTime<Utc>,
    way: Way,
    notices: Notices,
    /// Rings when other processes are to be told, or sooner. One for all appends: to set it wakes another thread.
    alarm: Pin<Box<Sleep>>,
    reconnect: Reconnect,
}

/// Carries out batches until every sender is gone.
pub(super) async fn run(mut writer: Writer, mut intake: Intake) {
    while let Some(batch) = writer.next(&mut intake).await {
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
        heard: Heard,
    ) -> Self {
        Self {
            server,
            sql,
            head,
            session: Some(session),
            is_fresh: false,
            means: Means::Batches,
            known: Known::new(Position::START, DateTime::UNIX_EPOCH),
            types: Interned::default(),
            started: DateTime::UNIX_EPOCH,
            way: Way::Short,
            notices: Notices::counted_by(heard),
            // Rings when it is waited for first, for nothing, and is set from then on.
            alarm: Box::pin(tokio::time::sleep(Duration::ZERO)),
            reconnect: Reconnect::at_once(Instant::now()),
        }
    }

    /// The next batch. When none comes for a while, other processes are told of the last ones.
    async fn next(&mut self, intake: &mut Intake) -> Option<Batch> {
        while let Some(at) = self.notices.owed_at() {
            // Not even once where it is past: batches of which nothing was written may keep coming.
            if at <= Instant::now() {
                self.tell_others().await;
                continue;
            }
            if self.alarm.is_elapsed() || self.alarm.deadline() > at {
                self.alarm.as_mut().reset(at);
            }
            tokio::select! {
                biased;
                // Taking in is not begun anew by being broken off: what came is kept.
                batch = intake.next() => match batch {
                    Some(batch) => return Some(batch),
                    None => self.tell_others().await,
                },
                () = &mut self.alarm => {}
            }
        }
        intake.next().await
    }

    /// Writes right behind the head what is as expected; gives back what the long way must look at, and the answers
    /// to the rest.
    async fn short_way(&mut self, appends: Vec<Due>) -> (Vec<Due>, Answers) {
        if let Way::Long(_) = self.way {
            self.way = self.way.one_less();
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
            Ok(None) => (appends, vec![]),
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
        let Self { session, known, types, sql, started, means, notices, way, .. } = self;
        let session = session.as_mut().expect("it was made ready");
        let found = look_up(session, sql, known, appends).await?;
        // A stream that began behind the head, since we looked, would be taken for one that begins in this batch.
        if found.values().any(|stream| stream.id > known.head()) {
            self.is_fresh = false;
            return Ok(None);
        }
        // The server gives the time, not this clock.
        let plan = known.plan(appends, Utc::now(), |stream| {
            Ok::<_, Infallible>(found.get(stream).copied().unwrap_or_default())
        });
        let Ok(mut plan) = plan;
        if plan.accepted().next().is_some() {
            types.intern(session, sql, rows(&plan).map(|row| (row.stream_id, row.event))).await?;
            let is_due = notices.are_due(Instant::now());
            let short = ShortWay { sql, plan: &plan, types, started: *started, is_due };
            let remembered = plan.begins_behind();
            let (mut written, mut tells) = (Written::Elsewhere, is_due);
            if *way == Way::Short {
                let statement = short.query(*means);
                tells = statement.tells;
                let wrote = statement.act(session).await;
                written = Written::of(wrote.map(|wrote| wrote.then_some(remembered)))?;
            }
            // Into a log without events nobody writes behind others.
            if written == Written::Elsewhere && remembered > Position::START {
                let answer = session.rows(short.query_behind_others(*means)).await;
                let head = |row: &PgRow| Ok(Position::from_i64(row.try_get(1)?));
                (written, tells) =
                    (Written::of(answer.and_then(|rows| done(&rows)?.map(head).transpose()))?, is_due);
            }
            *way = way.after(written, remembered);
            let Written::Behind(head) = written else {
                self.is_fresh = false;
                return Ok(None);
            };
            plan.move_behind(head);
            notices.appended(tells, Instant::now());
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
        let mut answered = vec![];
        for _ in 0..2 {
            types.intern(session, sql, events(appends)).await?;
            answered = session.rows(Checked::of(appends, types).query(sql, *started)).await?;
            if !answered.is_empty() {
                break;
            }
            // Nothing was written: the log was restored, and has no such types.
            *types = Interned::default();
        }
        if answered.len() != appends.len() {
            return Err(Error::RowNotFound);
        }
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
        let is_written = head > before;
        if is_written || before != known.head() {
            // Versions were given that are not remembered, or somebody else appended.
            known.forget(head.max(before), DateTime::UNIX_EPOCH);
        }
        let mut results = first_arrivals(session, sql, &repeats).await?.into_iter();
        let outcomes = answers.into_iter().map(|answer| match answer {
            Answer::Told(outcome) => outcome,
            Answer::Repeated { .. } => Ok(results.next().expect("a result for each repeat")),
        });
        let outcomes = outcomes.collect();
        if is_written {
            self.notices.appended(true, Instant::now());
        }
        self.tell_head();
        Ok(outcomes)
    }

    /// Other processes hear of what was appended without telling them. Those that do not hear of it ask.
    async fn tell_others(&mut self) {
        self.notices.appended(true, Instant::now());
        let Some(session) = &mut self.session else { return };
        let head = self.known.head().to_i64().to_string();
        if let Err(error) = session.rows(self.sql.tell.query().bind(head)).await {
            let failed = self.lose(error);
            tracing::warn!(error = annals::error_text(&failed), "other processes were not told of an append");
        }
    }

    /// Connects if need be, and looks at the log if what is remembered may be wrong.
    async fn make_ready(&mut self) -> Result<(), Error> {
        if self.session.is_none() {
            tokio::time::sleep_until(self.reconnect.at()).await;
            let connected = self.server.connect().await;
            if connected.is_err() {
                self.reconnect.failed(Instant::now());
            }
            self.session = Some(connected?);
            self.reconnect.connected();
        }
        if !self.is_fresh {
            let session = self.session.as_mut().expect("it was just made");
            let rows = session.rows(self.sql.ready.query()).await?;
            self.known.forget(Position::from_i64(rows[0].try_get(0)?), DateTime::UNIX_EPOCH);
            // Behind a pooler the setting would stay on a connection that somebody else gets next.
            self.means = match (self.server.options.prepares(), rows[0].try_get(2)?) {
                (false, _) => Means::Batches,
                (true, false) => Means::Functions,
                (true, true) => Means::Inserts,
            };
            if self.means != Means::Batches {
                session.say("SET annals.appending = 'on'").await?;
            }
            let started = rows[0].try_get(1)?;
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

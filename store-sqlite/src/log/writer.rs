//! The one thread that appends.

use super::{
    commits::{Settled, settle},
    failure::{self, Consequence, WriteFailed},
    snapshots::{self, Keep},
    sql,
    types::Types,
};
use annals::{
    AppendError, Commit, Committed, Position, StreamId, Version,
    batch::{Accepted, After, Intake, Known, Link, Pending, StreamAt, Verdict},
};
use chrono::{DateTime, Utc};
use rusqlite::{Connection, OptionalExtension, Result, params};
use std::{path::PathBuf, sync::Arc};
use tokio::sync::watch;

/// After an id was found in the log, so many batches look all ids up first: repeats come in swarms.
const CAREFUL_BATCHES: u32 = 16;

type Outcome = std::result::Result<Committed, AppendError>;

/// The one thread that appends, and what it remembers.
pub(super) struct Writer {
    connection: Connection,
    path: PathBuf,
    head: Arc<watch::Sender<Position>>,
    known: Known,
    types: Types,
    /// As SQLite last told it: another number means that somebody else wrote. `None`: look at the log again.
    data_version: Option<i64>,
    careful_batches: u32,
    /// Set for ever when the disk failed: nobody knows what it holds.
    poisoned: Option<WriteFailed>,
}

/// Carries out batches until every sender is gone.
pub(super) fn run(mut writer: Writer, mut intake: Intake<Keep>) {
    while let Some(batch) = intake.next_blocking() {
        let outcomes = writer.carry_out(&batch.appends, batch.asides);
        intake.answer(batch.appends.into_iter().zip(outcomes).collect());
    }
}

impl Writer {
    pub(super) fn new(
        connection: Connection,
        path: PathBuf,
        head: Arc<watch::Sender<Position>>,
    ) -> Result<Self> {
        connection.set_prepared_statement_cache_capacity(32);
        let known = Known::new(Position::START, DateTime::UNIX_EPOCH);
        let (data_version, careful_batches, poisoned) = (None, 0, None);
        let types = Types::default();
        let mut writer =
            Self { connection, path, head, known, types, data_version, careful_batches, poisoned };
        writer.begin()?;
        writer.catch_up()?;
        writer.end("COMMIT")?;
        writer.tell_head();
        Ok(writer)
    }

    /// One transaction for all; one outcome for each append.
    fn carry_out(&mut self, appends: &[Pending], keeps: Vec<Keep>) -> Vec<Outcome> {
        if let Some(failed) = &self.poisoned {
            keeps.into_iter().for_each(|keep| keep.answer(Err(failed.store_error())));
            return appends.iter().map(|_| Err(failed.store_error().into())).collect();
        }
        let mut written = self.write(appends, &keeps);
        if written.as_ref().is_err_and(failure::is_taken) {
            // An id is in the log already, or what is remembered is wrong. Nothing was written: look at everything.
            self.data_version = None;
            self.careful_batches = CAREFUL_BATCHES;
            written = self.write(appends, &keeps);
        }
        match written {
            Ok(outcomes) => {
                keeps.into_iter().for_each(|keep| keep.answer(Ok(())));
                self.tell_head();
                outcomes
            }
            Err(error) => self.refuse(error, appends, keeps),
        }
    }

    fn write(&mut self, appends: &[Pending], keeps: &[Keep]) -> Result<Vec<Outcome>> {
        let written = self.begin().and_then(|()| self.transaction(appends, keeps));
        if written.is_err() {
            self.take_back();
        }
        written
    }

    /// All of it between `BEGIN` and the end of `COMMIT`.
    fn transaction(&mut self, appends: &[Pending], keeps: &[Keep]) -> Result<Vec<Outcome>> {
        self.catch_up()?;
        let careful = self.careful_batches > 0;
        self.careful_batches = self.careful_batches.saturating_sub(1);
        let mut settled: Vec<Option<Settled>> = Vec::with_capacity(appends.len());
        for pending in appends {
            settled.push(if careful { settle(&self.connection, &pending.commit)? } else { None });
        }
        let open = settled.iter().enumerate().filter(|(_, settled)| settled.is_none());
        let open = open.map(|(index, _)| link(appends, &settled, index));
        let plan = self.known.plan(open, Utc::now(), |stream| stream_at(&self.connection, stream))?;
        self.types.intern(&self.connection, plan.accepted().flat_map(Accepted::rows))?;
        self.insert(plan.accepted(), plan.recorded_at)?;
        for keep in keeps {
            snapshots::keep(&self.connection, keep)?;
        }
        let mut verdicts = plan.verdicts.iter();
        let mut outcomes = Vec::with_capacity(appends.len());
        for (pending, settled) in appends.iter().zip(settled) {
            outcomes.push(match settled {
                Some(settled) => settled.outcome(),
                None => match verdicts.next().expect("one for each commit that was planned") {
                    verdict @ Verdict::Doubtful { .. } if !careful => {
                        self.outcome_of_doubtful(&pending.commit, verdict)?
                    }
                    verdict => verdict.answer(),
                },
            });
        }
        self.end("COMMIT")?;
        self.known.confirm(&plan);
        Ok(outcomes)
    }

    fn outcome_of_doubtful(&self, commit: &Commit, verdict: &Verdict<'_>) -> Result<Outcome> {
        let settled = settle(&self.connection, commit)?;
        Ok(settled.map_or_else(|| verdict.answer(), Settled::outcome))
    }

    fn insert<'a>(
        &self,
        accepted: impl Iterator<Item = &'a Accepted<'a>>,
        recorded_at: DateTime<Utc>,
    ) -> Result<()> {
        let mut stream = self.connection.prepare_cached(sql::INSERT_STREAM)?;
        let mut event = self.connection.prepare_cached(sql::INSERT_EVENT)?;
        let recorded_at = recorded_at.timestamp_micros();
        for commit in accepted {
            for (name, id) in commit.new_streams() {
                stream.execute(params![id.to_i64(), name.as_str()])?;
            }
            for row in commit.rows() {
                event.execute(params![
                    row.position.to_i64(),
                    row.stream.to_i64(),
                    row.version.to_i64(),
                    self.types.id_of(&row),
                    row.commit.index,
                    row.commit.size,
                    recorded_at,
                    row.event.id.uuid().as_bytes(),
                    row.event.metadata.as_str(),
                    row.event.payload.as_str(),
                ])?;
            }
        }
        Ok(())
    }

    /// Looks whether another process wrote since, and if so, forgets what it knew.
    fn catch_up(&mut self) -> Result<()> {
        let now = self.connection.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))?;
        if self.data_version == Some(now) {
            return Ok(());
        }
        let (head, last_at) = super::head::read(&self.connection)?;
        self.known.forget(head, last_at);
        self.data_version = Some(now);
        Ok(())
    }

    fn begin(&self) -> Result<()> {
        self.connection.prepare_cached(sql::BEGIN)?.execute([]).map(|_| ())
    }

    fn end(&self, how: &str) -> Result<()> {
        self.connection.prepare_cached(how)?.execute([]).map(|_| ())
    }

    /// After an error: nothing of the transaction stays, in the file or in memory.
    fn take_back(&mut self) {
        self.types = Types::default();
        self.data_version = None;
        // Some errors end the transaction by themselves.
        if !self.connection.is_autocommit()
            && let Err(source) = self.end("ROLLBACK")
        {
            self.poisoned = Some(WriteFailed::new(&self.path, Consequence::Poison, source));
        }
    }

    fn refuse(&mut self, error: rusqlite::Error, appends: &[Pending], keeps: Vec<Keep>) -> Vec<Outcome> {
        let consequence = failure::consequence(&error);
        let failed = WriteFailed::new(&self.path, consequence, error);
        if consequence == Consequence::Poison {
            tracing::error!(error = %failed, "the writer of the log stops");
            self.poisoned.get_or_insert_with(|| failed.clone());
        }
        keeps.into_iter().for_each(|keep| keep.answer(Err(failed.store_error())));
        appends.iter().map(|_| Err(failed.store_error().into())).collect()
    }

    fn tell_head(&self) {
        super::head::tell(&self.head, self.known.head());
    }
}

/// The append at `index`, and what it builds on: one that had arrived before, or is refused, is not written now.
fn link<'a>(appends: &'a [Pending], settled: &[Option<Settled>], index: usize) -> Link<'a> {
    let Pending { commit, follows, .. } = &appends[index];
    let after = match index.checked_sub(1) {
        Some(before) if *follows && settled[before].is_some() => After::Broken,
        Some(_) if *follows => After::Previous,
        _ => After::Nothing,
    };
    Link { commit, after }
}

fn stream_at(connection: &Connection, stream: &StreamId) -> Result<StreamAt> {
    let found = connection
        .prepare_cached(sql::STREAM_AT)?
        .query_row([stream.as_str()], |row| Ok((row.get(0)?, row.get::<_, Option<i64>>(1)?.unwrap_or(0))))
        .optional()?;
    Ok(found.map_or_else(StreamAt::default, |(id, version)| StreamAt {
        id: Position::from_i64(id),
        version: Version::from_i64(version),
    }))
}

#[cfg(test)]
mod tests;

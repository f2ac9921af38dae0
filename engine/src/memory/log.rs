//! The log, and everything that is done to it under the lock.

use crate::{
    AppendError, Commit, Committed, EventId, LOOKED_POSITIONS_MAX, LogFilter, LogPage, PageLimit,
    PlaceInCommit, Position, RecordedEvent, StreamFilter, StreamId, StreamInfo, Version, VersionRange,
    Written,
};
use chrono::{DateTime, SubsecRound, Utc};
use std::{
    collections::{BTreeMap, HashMap},
    ops::Bound,
};

/// The event at position 1 is row 0, and so on. `streams` and `ids` lead to rows.
#[derive(Default)]
pub(super) struct Log {
    rows: Vec<RecordedEvent>,
    streams: BTreeMap<StreamId, Vec<usize>>,
    ids: HashMap<EventId, usize>,
    last_at: DateTime<Utc>,
}

impl Log {
    /// The position of the last event.
    pub(super) fn head(&self) -> Position {
        Position::new(self.rows.len() as u64)
    }

    /// Appends all of `commit`, or nothing. The order of the questions is the contract's: is it a commit at all,
    /// did it arrive before, is an id taken, is a stream elsewhere.
    pub(super) fn append(&mut self, commit: Commit) -> Result<Committed, AppendError> {
        commit.check()?;
        if let Some((stream, first_event)) = commit.identity()
            && let Some(first_result) = self.committed(stream, first_event)
        {
            return Ok(first_result);
        }
        self.check_ids(&commit)?;
        self.check_versions(&commit)?;
        Ok(self.write(commit))
    }

    fn check_ids(&self, commit: &Commit) -> Result<(), AppendError> {
        let mut ids = commit.writes().iter().flat_map(|write| &write.events).map(|event| event.id);
        match ids.find(|id| self.ids.contains_key(id)) {
            Some(id) => Err(AppendError::DuplicateId { id }),
            None => Ok(()),
        }
    }

    fn check_versions(&self, commit: &Commit) -> Result<(), AppendError> {
        for write in commit.writes() {
            let actual = Version::new(self.rows_of(&write.stream).len() as u64);
            if !write.expected.holds(actual) {
                let (stream, expected) = (write.stream.clone(), write.expected);
                return Err(AppendError::Conflict { stream, expected, actual });
            }
        }
        Ok(())
    }

    fn write(&mut self, commit: Commit) -> Committed {
        let size = commit.events() as u32;
        // One time for the commit, never before the last one: the clock may have been set back.
        self.last_at = Utc::now().trunc_subsecs(6).max(self.last_at);
        let mut streams = Vec::with_capacity(commit.writes().len());
        let mut index = 0;
        for write in commit.into_writes() {
            let of_stream = self.streams.entry(write.stream.clone()).or_default();
            let first = Version::new(of_stream.len() as u64 + 1);
            for data in write.events {
                let row = self.rows.len();
                self.ids.insert(data.id, row);
                of_stream.push(row);
                self.rows.push(RecordedEvent::new(
                    write.stream.clone(),
                    Version::new(of_stream.len() as u64),
                    Position::new(row as u64 + 1),
                    PlaceInCommit { index, size },
                    self.last_at,
                    data,
                ));
                index += 1;
            }
            streams.push(Written::new(write.stream, first, Version::new(of_stream.len() as u64)));
        }
        Committed::new(streams, self.head(), false)
    }

    /// The first result of the commit that begins with `first_event` on `stream`.
    pub(super) fn committed(&self, stream: &StreamId, first_event: EventId) -> Option<Committed> {
        let row = *self.ids.get(&first_event)?;
        let first = &self.rows[row];
        if first.stream != *stream || first.commit.index != 0 {
            return None;
        }
        let rows = &self.rows[row..row + first.commit.size as usize];
        let parts = rows.chunk_by(|a, b| a.stream == b.stream);
        let written = parts
            .map(|part| Written::new(part[0].stream.clone(), part[0].version, part[part.len() - 1].version));
        Some(Committed::new(written.collect(), rows[rows.len() - 1].position, true))
    }

    pub(super) fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Vec<RecordedEvent> {
        let rows = self.rows_of(stream);
        let rows = &rows[..row_at(range.upper().get(), rows)];
        let rows = &rows[row_at(range.lower().get(), rows)..];
        let event = |row: &usize| self.rows[*row].clone();
        if range.is_backwards() {
            rows.iter().rev().take(limit.get()).map(event).collect()
        } else {
            rows.iter().take(limit.get()).map(event).collect()
        }
    }

    pub(super) fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Vec<StreamInfo> {
        let behind = after.map_or(Bound::Unbounded, Bound::Excluded);
        self.streams
            .range::<StreamId, _>((behind, Bound::Unbounded))
            .filter(|(stream, _)| filter.takes(stream))
            .take(limit.get())
            .map(|(stream, rows)| StreamInfo::new(stream.clone(), Version::new(rows.len() as u64)))
            .collect()
    }

    pub(super) fn read_log(&self, after: Position, limit: PageLimit, filter: &LogFilter) -> LogPage {
        let behind = &self.rows[row_at(after.get(), &self.rows)..];
        let looked_at = &behind[..row_at(LOOKED_POSITIONS_MAX, behind)];
        let events: Vec<_> =
            looked_at.iter().filter(|event| filter.takes(event)).take(limit.get()).cloned().collect();
        // A full page ends the look at its last event, for the next one lies somewhere behind it.
        let last = if events.len() == limit.get() { events.last() } else { looked_at.last() };
        let looked = last.map_or(after, |event| event.position);
        LogPage::new(events, after, looked, self.head())
    }

    fn rows_of(&self, stream: &StreamId) -> &[usize] {
        self.streams.get(stream).map_or(&[], Vec::as_slice)
    }
}

/// `number` as an index into `rows`, or its end when it lies beyond.
fn row_at<T>(number: u64, rows: &[T]) -> usize {
    usize::try_from(number).unwrap_or(usize::MAX).min(rows.len())
}

//! One connection that reads, with what it remembers.

use super::{
    commits, head,
    row::{Page, Streams, Types},
    snapshots, sql,
};
use crate::{FileError, open::open_reader};
use annals::{
    Committed, EventId, Fingerprint, LOOKED_POSITIONS_MAX, LogFilter, LogPage, PageLimit, Position,
    RecordedEvent, Snapshot, StreamFilter, StreamId, StreamInfo, Version, VersionRange,
};
use rusqlite::{Connection, Result, params};
use std::path::Path;

/// A page of the log ends when its payloads and metadata hold this many bytes: 16 MiB.
const PAGE_BYTES_MAX: usize = 16 << 20;

/// One connection that reads, with what it remembers.
pub(super) struct Reader {
    connection: Connection,
    streams: Streams,
    types: Types,
    /// How many pages it has begun.
    pages: u64,
}

/// Where a piece of work may stop, so that the thread it runs on can do something else.
#[derive(Debug, Clone, Copy)]
pub(super) struct Portion {
    pub(super) events: usize,
    pub(super) bytes: usize,
}

impl Reader {
    pub(super) fn open(path: &Path) -> std::result::Result<Self, FileError> {
        let connection = open_reader(path)?;
        connection.set_prepared_statement_cache_capacity(32);
        Ok(Self { connection, streams: Streams::new(), types: Types::default(), pages: 0 })
    }

    /// Events of one stream, at most one portion; whether there may be more.
    pub(super) fn read(
        &mut self,
        stream: &StreamId,
        range: VersionRange,
        limit: usize,
        portion: Portion,
    ) -> Result<(Vec<RecordedEvent>, bool)> {
        let statement = if range.is_backwards() { sql::READ_BACKWARDS } else { sql::READ_FORWARDS };
        let mut statement = self.connection.prepare_cached(statement)?;
        let (lower, upper) = (range.lower().to_i64(), range.upper().to_i64());
        let mut rows = statement.query(params![stream.as_str(), lower, upper])?;
        self.pages += 1;
        let mut page = Page::new(self.pages);
        while let Some(row) = rows.next()? {
            let of = self.types.get(&self.connection, row.get(3)?, page.number())?;
            page.add(stream.clone(), of, row)?;
            if page.len() >= limit {
                break;
            }
            if page.len() >= portion.events || page.bytes() >= portion.bytes {
                return Ok((page.done(), true));
            }
        }
        Ok((page.done(), false))
    }

    pub(super) fn read_log(
        &mut self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage> {
        // The head before the rows: what is appended in between belongs to the next page.
        let (head, _) = head::read(&self.connection)?;
        let through = head.min(after.plus(LOOKED_POSITIONS_MAX)).max(after);
        let mut page = LogPage::new(vec![], after, through, head);
        let mut statement = self.connection.prepare_cached(sql::READ_LOG)?;
        let mut rows = statement.query([after.to_i64(), through.to_i64()])?;
        self.pages += 1;
        let mut read = Page::new(self.pages);
        while let Some(row) = rows.next()? {
            let of = self.types.get(&self.connection, row.get(3)?, read.number())?;
            if !of.taken_by(filter) {
                continue;
            }
            let stream = self.streams.name(&self.connection, row.get(1)?, read.number())?;
            if !filter.takes_tenant(stream.tenant()) {
                continue;
            }
            let position = read.add(stream, of, row)?;
            if read.len() >= limit.get() || read.bytes() >= PAGE_BYTES_MAX {
                page.looked = position;
                break;
            }
        }
        page.events = read.done();
        Ok(page)
    }

    pub(super) fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>> {
        let (from, below) = names(filter);
        let after = after.map_or("", StreamId::as_str);
        let category = if filter.tenant.is_some() { None } else { filter.category.as_deref() };
        let mut statement = self.connection.prepare_cached(sql::STREAMS)?;
        let mut rows = statement.query(params![after, from, below, category])?;
        let mut streams = vec![];
        while let Some(row) = rows.next()? {
            let stream = super::row::stream_id(row.get_ref(0)?.as_str()?)?;
            streams.push(StreamInfo::new(stream, Version::from_i64(row.get(1)?)));
            if streams.len() >= limit.get() {
                break;
            }
        }
        Ok(streams)
    }

    pub(super) fn committed(&self, stream: &StreamId, first: EventId) -> Result<Option<Committed>> {
        commits::first_result(&self.connection, stream, first)
    }

    pub(super) fn snapshot(&self, stream: &StreamId, of: Fingerprint) -> Result<Option<Snapshot>> {
        snapshots::read(&self.connection, stream, of)
    }

    pub(super) fn connection(&self) -> &Connection {
        &self.connection
    }
}

/// From which name on and below which name the streams lie that `filter` takes. The character after `/` is `0`,
/// the one after `-` is `.`, and no name begins with `{`.
fn names(filter: &StreamFilter) -> (String, String) {
    match (&filter.tenant, &filter.category) {
        (Some(tenant), Some(category)) => (format!("{tenant}/{category}-"), format!("{tenant}/{category}.")),
        (Some(tenant), None) => (format!("{tenant}/"), format!("{tenant}0")),
        (None, _) => (String::new(), "{".into()),
    }
}

#[cfg(test)]
mod tests;

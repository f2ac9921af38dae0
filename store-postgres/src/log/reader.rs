//! Reading the log.

use super::{
    Sql,
    portions::{PAGE_BYTES_MAX, Portions},
    row::{HEAD, Page, stream_id},
    types::Types,
};
use crate::session::Connections;
use annals::{
    Committed, EventId, LOOKED_POSITIONS_MAX, LogFilter, LogPage, PageLimit, Position, RecordedEvent,
    StoreError, StreamFilter, StreamId, StreamInfo, Version, VersionRange, Written,
};
use chrono::{DateTime, Utc};
use sqlx::{Error, Row, postgres::PgRow};
use std::sync::{Arc, PoisonError, RwLock};

/// What reads the log, with what it remembers.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) connections: Connections,
    pub(super) sql: Arc<Sql>,
    types: RwLock<Remembered>,
    portions: Portions,
}

/// The event types, and which server they were read from: one that was restored may give a number to another type.
#[derive(Debug, Default, Clone)]
struct Remembered {
    types: Arc<Types>,
    /// How many connections had been made by then.
    made: u64,
    started: Option<DateTime<Utc>>,
}

impl Reader {
    pub(super) fn new(connections: Connections, sql: Arc<Sql>) -> Self {
        Self { connections, sql, types: RwLock::default(), portions: Portions::default() }
    }

    pub(super) async fn read(
        &self,
        stream: &StreamId,
        range: VersionRange,
        limit: PageLimit,
    ) -> Result<Vec<RecordedEvent>, StoreError> {
        const DOING: &str = "reading a stream";
        let statement = if range.is_backwards() { &self.sql.read_backwards } else { &self.sql.read_forwards };
        let (mut lower, mut upper) = (range.lower().to_i64(), range.upper().to_i64());
        let mut page = Page::default();
        loop {
            let before = page.len();
            let asked = self.portions.next(&page, limit);
            let query = || statement.query().bind(stream.as_str()).bind(lower).bind(upper).bind(asked as i64);
            self.connections.each(DOING, query, |row| page.add(row).map(|()| true)).await?;
            let came = page.len() - before;
            let Some((_, last)) = page.last().filter(|_| came == asked && page.len() < limit.get()) else {
                let types = self.types_of(&page, DOING).await?;
                return page.of_stream(stream, &types).map_err(|error| self.failed(DOING, error));
            };
            // Rows never change, so going on behind the last one is as good as one read.
            match range.is_backwards() {
                true => upper = last.to_i64() - 1,
                false => lower = last.to_i64(),
            }
        }
    }

    pub(super) async fn read_log(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
    ) -> Result<LogPage, StoreError> {
        // Rows tell where the head is in their own snapshot. Which types a filter takes must be known before.
        if filter.sources().is_none()
            && let Some(page) = self.page(after, limit, filter, None).await?
        {
            return Ok(page);
        }
        // The head before the rows: what is appended in between belongs to the next page. In the same snapshot, all
        // types of the rows up to it.
        let (head, types) = self.look().await?;
        let taken = types.taken_by(filter);
        let page = match taken.as_ref().is_some_and(Vec::is_empty) || head <= after {
            true => None,
            false => self.page(after, limit, filter, Some((head, taken))).await?,
        };
        let looked = head.min(after.plus(LOOKED_POSITIONS_MAX)).max(after);
        Ok(page.unwrap_or_else(|| LogPage::new(vec![], after, looked, head)))
    }

    /// What lies behind `after`; `None` if that is nothing. `looked` are the head of the log and the types that the
    /// filter takes, if they were looked at before.
    async fn page(
        &self,
        after: Position,
        limit: PageLimit,
        filter: &LogFilter,
        looked: Option<(Position, Option<Vec<i32>>)>,
    ) -> Result<Option<LogPage>, StoreError> {
        const DOING: &str = "reading the log";
        let (mut head, taken) = looked.map_or((None, None), |(head, taken)| (Some(head), taken));
        let tenant = filter.only_tenant().map_or_else(String::new, |tenant| format!("{tenant}/"));
        // Names are asked for apart, once for each stream, where that is less than one for each event.
        let statement =
            if self.portions.are_few(limit) { &self.sql.read_log_named } else { &self.sql.read_log };
        let mut through = after.plus(LOOKED_POSITIONS_MAX);
        let (mut page, mut from) = (Page::default(), after);
        loop {
            through = head.map_or(through, |head| head.min(through));
            let before = page.len();
            let asked = self.portions.next(&page, limit);
            let query = || {
                let query = statement.query().bind(from.to_i64()).bind(through.to_i64());
                query.bind(asked as i64).bind(taken.clone()).bind(tenant.clone())
            };
            let take = |row: &PgRow| {
                if head.is_none() {
                    head = Some(Position::from_i64(row.try_get(HEAD)?));
                }
                page.add_of_log(row)?;
                Ok(page.bytes() < PAGE_BYTES_MAX || page.len() - before == asked)
            };
            self.connections.each(DOING, query, take).await?;
            let Some(head) = head else { return Ok(None) };
            from = page.last().map_or(from, |(position, _)| position);
            let is_full = page.len() >= limit.get() || page.bytes() >= PAGE_BYTES_MAX;
            if is_full || page.len() - before < asked {
                self.portions.learn(&page);
                self.name_streams(&mut page, DOING).await?;
                let looked = if is_full { from } else { head.min(through) };
                let types = self.types_of(&page, DOING).await?;
                let events = page.of_log(&types).map_err(|error| self.failed(DOING, error))?;
                return Ok(Some(LogPage::new(events, after, looked, head)));
            }
        }
    }

    async fn name_streams(&self, page: &mut Page, doing: &'static str) -> Result<(), StoreError> {
        let nameless = page.nameless();
        if nameless.is_empty() {
            return Ok(());
        }
        let query = || self.sql.names.query().bind(nameless.clone());
        self.connections.each(doing, query, |row| page.name(row).map(|()| true)).await
    }

    pub(super) async fn streams(
        &self,
        filter: &StreamFilter,
        after: Option<&StreamId>,
        limit: PageLimit,
    ) -> Result<Vec<StreamInfo>, StoreError> {
        const DOING: &str = "listing streams";
        let (from, below) = names(filter);
        let after = after.map_or("", StreamId::as_str);
        let category = if filter.tenant.is_some() { None } else { filter.category.as_deref() };
        let query = || {
            let query = self.sql.streams.query().bind(after).bind(from.as_str()).bind(below.as_str());
            query.bind(category).bind(limit.get() as i64)
        };
        let rows = self.connections.rows(DOING, query).await?;
        let read = |row: &PgRow| {
            let version: Option<i64> = row.try_get(1)?;
            Ok(StreamInfo::new(stream_id(row.try_get(0)?)?, Version::from_i64(version.unwrap_or_default())))
        };
        rows.iter().map(read).collect::<Result<_, _>>().map_err(|error| self.failed(DOING, error))
    }

    pub(super) async fn committed(
        &self,
        stream: &StreamId,
        first: EventId,
    ) -> Result<Option<Committed>, StoreError> {
        const DOING: &str = "looking for a commit";
        let query = || self.sql.first_of_commit.query().bind(first.uuid()).bind(stream.as_str());
        let rows = self.connections.rows(DOING, query).await?;
        let Some(found) = rows.first() else { return Ok(None) };
        let failed = |error| self.failed(DOING, error);
        let commit = (found.try_get(0).map_err(failed)?, found.try_get(1).map_err(failed)?);
        let query = || self.sql.commits_rows.query().bind(vec![commit.0]).bind(vec![commit.1]);
        let rows = self.connections.rows(DOING, query).await?;
        Ok(first_results(&rows, &[commit]).map_err(failed)?.pop())
    }

    /// The head of the log, and all event types of the events up to it.
    async fn look(&self) -> Result<(Position, Arc<Types>), StoreError> {
        const DOING: &str = "reading the head of the log";
        let rows = self.connections.rows(DOING, || self.sql.head.query()).await?;
        let failed = |error| self.failed(DOING, error);
        let (head, count): (i64, i64) =
            (rows[0].try_get(0).map_err(failed)?, rows[0].try_get(1).map_err(failed)?);
        let started = rows[0].try_get(2).map_err(failed)?;
        let known = self.remembered();
        let is_current = known.started == Some(started) && known.types.count() as i64 == count;
        let types = if is_current { known.types } else { self.load_types(DOING, Some(started)).await? };
        Ok((Position::from_i64(head), types))
    }

    /// The event types, anew if `page` names one that is not known, or come from a server that was started anew.
    async fn types_of(&self, page: &Page, doing: &'static str) -> Result<Arc<Types>, StoreError> {
        if page.len() == 0 {
            return Ok(Arc::default());
        }
        if !self.connections.server.options.prepares() {
            // A pooler hides that connections are made anew, so the server is asked when it was started.
            return Ok(self.look().await?.1);
        }
        let known = self.remembered();
        let is_current = known.made == self.connections.made();
        if is_current && page.is_known(&known.types) {
            return Ok(known.types);
        }
        self.load_types(doing, known.started.filter(|_| is_current)).await
    }

    async fn load_types(
        &self,
        doing: &'static str,
        started: Option<DateTime<Utc>>,
    ) -> Result<Arc<Types>, StoreError> {
        let made = self.connections.made();
        let rows = self.connections.rows(doing, || self.sql.types.query()).await?;
        let types = Arc::new(Types::of(&rows).map_err(|error| self.failed(doing, error))?);
        let remembered = Remembered { types: types.clone(), made, started };
        *self.types.write().unwrap_or_else(PoisonError::into_inner) = remembered;
        Ok(types)
    }

    fn remembered(&self) -> Remembered {
        self.types.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn failed(&self, doing: &'static str, error: Error) -> StoreError {
        self.connections.failed(doing, error)
    }
}

/// The results of commits (first position, size) from the rows that they wrote.
pub(super) fn first_results(rows: &[PgRow], commits: &[(i64, i64)]) -> Result<Vec<Committed>, Error> {
    let mut written: Vec<Vec<Written>> = commits.iter().map(|_| vec![]).collect();
    for row in rows {
        let (commit, name): (i64, &str) = (row.try_get(0)?, row.try_get(1)?);
        let version = Version::from_i64(row.try_get(2)?);
        let Some(streams) = usize::try_from(commit - 1).ok().and_then(|at| written.get_mut(at)) else {
            continue;
        };
        match streams.last_mut().filter(|written| written.stream.as_str() == name) {
            Some(written) => written.last = version,
            None => streams.push(Written::new(stream_id(name)?, version, version)),
        }
    }
    let result = |(streams, (first, size)): (_, &(i64, i64))| {
        Committed::new(streams, Position::from_i64(first + size - 1), true)
    };
    Ok(written.into_iter().zip(commits).map(result).collect())
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

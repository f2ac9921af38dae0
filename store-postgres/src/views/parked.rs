//! Parked events, and what somebody wants done about them.

use super::{
    PostgresDocuments,
    generation::Generation,
    transaction::{Halt, Transaction},
};
use annals::{PageLimit, Parked, ParkedAction, ParkedRequest, Position, StoreError, SubscriberId, Version};
use sqlx::{Error, Row, postgres::PgRow};

impl PostgresDocuments {
    /// Parked events behind `after`, of one key or of all.
    pub(super) async fn list_parked(
        &self,
        of: &SubscriberId,
        key: Option<&str>,
        after: Option<(&str, Position)>,
        limit: PageLimit,
    ) -> Result<Vec<Parked>, StoreError> {
        const DOING: &str = "reading parked events";
        let generation = self.id_of(DOING, of).await?;
        let limit = limit.get() as i64;
        // Before all: no key is less than the empty one, and no event has a negative position.
        let (after_key, after_position) = after.map_or(("", -1), |(key, at)| (key, at.to_i64()));
        let (statement, key, behind) = match key {
            // The place lies behind this key, or before it: then all of the key follows.
            Some(key) if key < after_key => return Ok(Vec::new()),
            Some(key) if key == after_key => (&self.sql.parked_page_of_key, key, after_position),
            Some(key) => (&self.sql.parked_page_of_key, key, -1),
            None => (&self.sql.parked_page, after_key, after_position),
        };
        let query = || statement.query().bind(generation).bind(key).bind(behind).bind(limit);
        let rows = self.connections.rows(DOING, query).await?;
        rows.iter().map(parked).collect::<Result<_, _>>().map_err(|error| self.failed(DOING, error))
    }

    /// Asks the lease holder for something; false when nothing is parked there.
    pub(super) async fn ask(&self, of: &SubscriberId, request: &ParkedRequest) -> Result<bool, StoreError> {
        const DOING: &str = "asking about parked events";
        let mut tx = self.begin(DOING).await?;
        let asked = asked(&mut tx, of, request).await;
        Ok(tx.end(asked).await? > 0)
    }

    /// What the lease holder has been asked for.
    pub(super) async fn list_requests(
        &self,
        of: &SubscriberId,
        limit: PageLimit,
    ) -> Result<Vec<ParkedRequest>, StoreError> {
        const DOING: &str = "reading requests";
        let generation = self.id_of(DOING, of).await?;
        let query = || self.sql.requests.query().bind(generation).bind(limit.get() as i64);
        let rows = self.connections.rows(DOING, query).await?;
        rows.iter().map(request).collect::<Result<_, _>>().map_err(|error| self.failed(DOING, error))
    }
}

async fn asked(
    tx: &mut Transaction<'_>,
    of: &SubscriberId,
    request: &ParkedRequest,
) -> Result<u64, Halt<StoreError>> {
    // Nobody settles what is parked meanwhile: what is asked for would stay, and be done to what is parked later.
    let found = Generation::get::<StoreError>(tx, of).await?;
    let query = tx.sql().request.query().bind(found.id).bind(&*request.key);
    Ok(tx.act(query.bind(action_text(request.action))).await?)
}

/// Events parked under `key` in generation `id` behind `after`, as this transaction sees them.
pub(super) async fn parked_behind(
    tx: &mut Transaction<'_>,
    id: i64,
    key: &str,
    after: Position,
    limit: PageLimit,
) -> Result<Vec<Parked>, Error> {
    let query = tx.sql().parked_page_of_key.query().bind(id).bind(key).bind(after.to_i64());
    tx.rows(query.bind(limit.get() as i64)).await?.iter().map(parked).collect()
}

/// What was asked for in generation `id`, as this transaction sees it.
pub(super) async fn requests_of(
    tx: &mut Transaction<'_>,
    id: i64,
    limit: PageLimit,
) -> Result<Vec<ParkedRequest>, Error> {
    let query = tx.sql().requests.query().bind(id).bind(limit.get() as i64);
    tx.rows(query).await?.iter().map(request).collect()
}

fn request(row: &PgRow) -> Result<ParkedRequest, Error> {
    Ok(ParkedRequest { key: text(row, 0)?.into(), action: action_of(text(row, 1)?)? })
}

fn parked(row: &PgRow) -> Result<Parked, Error> {
    let stream = text(row, 2)?.parse().map_err(|error: annals::StreamIdError| Error::Decode(Box::new(error)));
    Ok(Parked {
        key: text(row, 0)?.into(),
        position: Position::from_i64(row.try_get(1)?),
        stream: stream?,
        version: Version::from_i64(row.try_get(3)?),
        error: row.try_get(4)?,
        attempts: u32::try_from(row.try_get::<i64, _>(5)?).unwrap_or(u32::MAX),
        parked_at: row.try_get(6)?,
    })
}

fn text(row: &PgRow, at: usize) -> Result<&str, Error> {
    row.try_get(at)
}

fn action_text(action: ParkedAction) -> &'static str {
    match action {
        ParkedAction::Retry => "retry",
        ParkedAction::Discard => "discard",
    }
}

fn action_of(text: &str) -> Result<ParkedAction, Error> {
    match text {
        "retry" => Ok(ParkedAction::Retry),
        "discard" => Ok(ParkedAction::Discard),
        _ => Err(Error::Decode(format!("there is no action {text:?}").into())),
    }
}

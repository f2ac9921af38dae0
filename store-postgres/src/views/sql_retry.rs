//! Parked events of a SQL projection, handled again when somebody asked for it.

use super::{
    PostgresDocuments,
    sql_page::Again,
    sql_rows::{keys, tell},
};
use crate::SqlProjection;
use annals::{
    DocumentStore, EventStore, LogFilter, PageLimit, ParkedRequest, Position, RecordedEvent, Step,
    StoreError, SubscriberError,
};

impl PostgresDocuments {
    /// Carries out `request`; `step` stays where it is, and only proves the lease.
    pub(super) async fn handle_again<P: SqlProjection>(
        &self,
        projection: &P,
        store: &dyn EventStore,
        step: &Step,
        request: &ParkedRequest,
    ) -> Result<(), SubscriberError> {
        // One page of them at a time: what lies behind stays parked, and is asked for again by whoever looks.
        let parked = self.parked(&step.subscriber, Some(&request.key), None, PageLimit::DEFAULT).await?;
        let (dropped, tried) = request.divide(&parked);
        let mut events = Vec::with_capacity(tried.len());
        for parked in tried {
            events.push(recorded_at(store, parked.position).await?);
        }
        let mut told = tell::<P>(&events)?;
        let keys = keys(projection, &told);
        let (dropped, tried) = (dropped.to_vec(), tried.to_vec());
        let mut again = Again { key: request.key.clone(), dropped, tried, missing: None };
        again.up_to_another_key(&keys);
        told.retain(|told| again.tries(told.recorded.position));
        self.handle_page(projection, step, told, Some(&again)).await?;
        Ok(())
    }
}

async fn recorded_at(store: &dyn EventStore, position: Position) -> Result<RecordedEvent, SubscriberError> {
    let before = Position::new(position.get().saturating_sub(1));
    let page = store.read_log(before, PageLimit::ONE, &LogFilter::all()).await?;
    let found = page.events.into_iter().next().filter(|event| event.position == position);
    let missing = || {
        format!("position {position} is not in the log: it is another log than the one that was projected")
    };
    Ok(found.ok_or_else(|| StoreError::permanent("reading a parked event", missing()))?)
}

//! Projects parked events again, when somebody has asked for it.

use super::{ParkedEvents, fold::Touches};
use crate::{
    DocumentStore, EventStore, LogFilter, PageLimit, PageWrite, Parked, ParkedRequest, Position, Projection,
    RecordedEvent, Slot, StoreError, SubscriberError, SubscriberId,
};
use async_trait::async_trait;
use chrono::Utc;

/// What carrying out `request` writes: the document as far as its parked events can be projected, those that are
/// settled, and the new error of the first that is not, which may be that it is nowhere kept any more. And what the
/// document was before.
pub(super) async fn retried<P: Projection>(
    projection: &P,
    kept: &dyn ParkedEvents,
    documents: &dyn DocumentStore,
    of: &SubscriberId,
    request: &ParkedRequest,
) -> Result<(Slot, PageWrite), SubscriberError> {
    let key = &request.key;
    // The document first: what is settled meanwhile is found out by whoever writes upon what was seen.
    let slot = documents.load(of, std::slice::from_ref(key)).await?.pop().unwrap_or_default();
    // One page of them at a time: what lies behind stays parked, and is asked for again by whoever looks.
    let parked = documents.parked(of, Some(key), None, PageLimit::DEFAULT).await?;
    let (dropped, again) = request.divide(&parked);
    let (mut events, mut missing) = (vec![], None);
    for (entry, found) in again.iter().zip(kept.find(again).await?) {
        match found {
            Ok(event) => events.push(event),
            Err(reason) => {
                missing = Some(Parked { error: reason, ..entry.clone() });
                break;
            }
        }
    }
    let again = &again[..events.len()];
    let touches = Touches::of(projection, &events)?.only(key);
    let mut write = touches.fold(vec![Slot { parked: false, ..slot.clone() }], Utc::now())?;
    let still: Vec<Position> = write.park.iter().map(|entry| entry.position).collect();
    write.park = write.park.into_iter().filter_map(|entry| counted(entry, again)).collect();
    let settled = dropped.iter().chain(again.iter().filter(|entry| !still.contains(&entry.position)));
    write.settled = settled.map(|entry| (key.clone(), entry.position)).collect();
    // Where one before it is refused, that one says what is in the way.
    write.park.extend(missing.filter(|_| still.is_empty()));
    Ok((slot, write))
}

/// Parked events of what is filled from a log, which keeps them anyway.
pub(super) struct FromLog<'s>(pub(super) &'s dyn EventStore);

#[async_trait]
impl ParkedEvents for FromLog<'_> {
    async fn keep(&self, _: &[(&Parked, &RecordedEvent)]) -> Result<(), StoreError> {
        Ok(())
    }

    async fn find(&self, parked: &[Parked]) -> Result<Vec<Result<RecordedEvent, String>>, StoreError> {
        let mut events = Vec::with_capacity(parked.len());
        for entry in parked {
            events.push(recorded_at(self.0, entry.position).await?);
        }
        Ok(events)
    }
}

/// The entry with one more attempt, when it was tried: one that merely follows it stays as it is.
fn counted(now: Parked, before: &[Parked]) -> Option<Parked> {
    let before = before.iter().find(|entry| entry.position == now.position)?;
    let attempts = before.attempts.saturating_add(now.attempts);
    let error = if now.error.is_empty() { before.error.clone() } else { now.error };
    Some(Parked { attempts, error, parked_at: before.parked_at, ..now })
}

async fn recorded_at(
    store: &dyn EventStore,
    position: Position,
) -> Result<Result<RecordedEvent, String>, StoreError> {
    let before = Position::new(position.get().saturating_sub(1));
    let page = store.read_log(before, PageLimit::ONE, &LogFilter::all()).await?;
    let found = page.events.into_iter().next().filter(|event| event.position == position);
    let missing = || {
        format!("position {position} is not in the log: it is another log than the one that was projected")
    };
    Ok(found.ok_or_else(missing))
}

//! What was written outlives the store.

use super::{
    super::promise::does_not_apply,
    harness::DocumentStoreHarness,
    runner::{ORDERS, Runner, done, info, page, parked, refused, these},
};
use crate::{GenerationState, LeaseError, PageLimit, ParkedAction, ParkedRequest, Position};

/// After closing and opening again everything is there: documents, checkpoints, leases with their epochs, parked
/// events, requests, failures, and generations with their states.
pub async fn what_was_written_is_there_after_opening_again<H: DocumentStoreHarness>() {
    let mut harness = H::open().await;
    let mut live = Runner::live(harness.store()).await;
    let mut first = page([("a", Some("1")), ("b", Some("{\"x\":2}"))]);
    first.park = vec![parked("p", 3)];
    live.write(9, first).await;
    let retry = ParkedRequest { key: "p".into(), action: ParkedAction::Retry };
    assert!(done(live.store.request(live.id(), &retry).await));
    done(live.store.report(live.id(), Some("it failed")).await);
    let new = done(live.store.start_rebuild(ORDERS, 2).await);
    let (id, lease) = (live.id().clone(), live.lease.clone());
    drop(live);
    if !harness.reopen().await {
        return does_not_apply("what_was_written_is_there_after_opening_again", "nothing outlives the store");
    }
    let store = harness.store();
    let refusal = refused(store.acquire(&id, &super::runner::terms("other")).await);
    assert!(matches!(refusal, LeaseError::Held { .. }), "a lease outlives the store: {refusal:?}");
    let mut live = Runner { store: store.clone(), lease: lease.clone(), at: Position::new(9) };
    assert_eq!(live.documents().await, these([("a", "1"), ("b", "{\"x\":2}")]));
    assert_eq!(done(store.parked(&id, None, None, PageLimit::MAX).await), [parked("p", 3)]);
    assert_eq!(done(store.requests(&id, PageLimit::MAX).await), [retry]);
    let known = live.info().await;
    assert_eq!((known.checkpoint, known.state, known.version), (Position::new(9), GenerationState::Live, 1));
    assert_eq!(known.failure.map(|(text, _)| text).as_deref(), Some("it failed"));
    let building = info(&*store, &new).await;
    assert_eq!((building.state, building.version), (GenerationState::Building, 2));
    live.write(10, page([("a", None)])).await;
    done(store.release(&lease).await);
    let next = Runner::of(store, &id).await;
    assert!(next.lease.epoch > lease.epoch, "epochs only rise");
    assert_eq!(next.at, Position::new(10));
}

//! Leases: one runner at a time, and fencing.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{ORDERS, Runner, done, info, put, refused, step, terms, these},
};
use crate::{CheckpointError, DocumentStore, Epoch, Lease, LeaseError, LeaseTerms, Position, SubscriberId};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

/// A lease that runs out while a test waits for it.
const SHORT: Duration = Duration::from_millis(60);

/// How long a test waits for one to run out, in seconds.
const WAIT_SECONDS_MAX: u64 = 30;

fn short(holder: &str) -> LeaseTerms {
    LeaseTerms { holder: holder.into(), lasts: SHORT }
}

/// Asserts that a lease is held by `holder`.
fn assert_held(refusal: &LeaseError, id: &SubscriberId, by: &str, lasts: Duration) {
    match refusal {
        LeaseError::Held { subscriber, holder, remaining_ms } => {
            assert_eq!((subscriber, holder.as_str()), (id, by));
            assert!(u128::from(*remaining_ms) <= lasts.as_millis(), "{remaining_ms} ms remain of {lasts:?}");
        }
        other => panic!("expected {id} to be held by {by}, got {other:?}"),
    }
}

/// Waits until a lease has run out, and takes it.
async fn wait_for_lease(store: &dyn DocumentStore, id: &SubscriberId, holder: &str) -> Lease {
    let began = Instant::now();
    loop {
        match store.acquire(id, &terms(holder)).await {
            Ok(lease) => return lease,
            Err(LeaseError::Held { remaining_ms, .. }) => {
                assert!(began.elapsed().as_secs() < WAIT_SECONDS_MAX, "the lease of {id} does not run out");
                // It says itself when to come again; only time ends a lease.
                tokio::time::sleep(Duration::from_millis(remaining_ms.clamp(1, 100))).await;
            }
            Err(error) => panic!("expected a lease, got {error:?}"),
        }
    }
}

/// A lease is held by one runner at a time, whatever the others call themselves; given back, it goes to the next one
/// at once, with a higher epoch and the checkpoint as it stands.
pub async fn a_lease_is_held_by_one_runner_at_a_time<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    let mut first = Runner::live(store.clone()).await;
    first.write(5, put("a", "1")).await;
    let id = first.id().clone();
    for other in stores(&harness).await {
        for holder in ["other", "runner"] {
            let refusal = refused(other.acquire(&id, &terms(holder)).await);
            assert_held(&refusal, &id, "runner", Duration::from_secs(3_600));
        }
    }
    done(store.release(&first.lease).await);
    for other in stores(&harness).await {
        let next = done(other.acquire(&id, &terms("next")).await);
        assert!(next.epoch > first.lease.epoch, "epochs only rise");
        assert_eq!(next.checkpoint, Position::new(5));
        assert_eq!(info(&*store, &id).await.holder.as_deref(), Some("next"));
        done(other.release(&next).await);
        first.lease = next;
    }
}

/// Of runners that ask at once, one gets the lease.
pub async fn of_racing_runners_one_gets_the_lease<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let id = done(harness.store().open(ORDERS, 1).await);
    let mut last = Epoch::default();
    for _ in 0..10 {
        let mut tasks = JoinSet::new();
        for store in stores(&harness).await.into_iter().cycle().take(16) {
            let id = id.clone();
            tasks.spawn(async move { store.acquire(&id, &terms("racer")).await });
        }
        let mut leases = Vec::new();
        for answer in tasks.join_all().await {
            match answer {
                Ok(lease) => leases.push(lease),
                Err(refusal) => assert_held(&refusal, &id, "racer", Duration::from_secs(3_600)),
            }
        }
        assert_eq!(leases.len(), 1, "runners that got the lease");
        assert!(leases[0].epoch > last);
        last = leases[0].epoch;
        done(harness.store().release(&leases[0]).await);
    }
}

/// A lease that ran out is taken over; from then on the one who was replaced writes nothing, by whatever way.
pub async fn a_runner_that_was_replaced_writes_nothing<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    let id = done(store.open(ORDERS, 1).await);
    let old = done(store.acquire(&id, &short("old")).await);
    done(store.commit(&step(&old, Position::START, 5), put("a", "1")).await);
    let other = stores(&harness).await.pop().expect("there is a store");
    let new = wait_for_lease(&*other, &id, "new").await;
    assert!(new.epoch > old.epoch);
    assert_eq!(new.checkpoint, Position::new(5));
    let at = Position::new(5);
    let outcomes = [
        store.commit(&step(&old, at, 9), put("a", "2")).await,
        store.commit(&step(&old, at, 5), put("b", "2")).await,
        store.advance(&step(&old, at, 9)).await,
        store.renew(&old).await,
        store.release(&old).await,
    ];
    for outcome in outcomes {
        match refused(outcome) {
            CheckpointError::Fenced { subscriber, ours, now } => {
                assert_eq!((subscriber, ours, now), (id.clone(), old.epoch, new.epoch));
            }
            other => panic!("expected to be fenced, got {other:?}"),
        }
    }
    let runner = Runner { store: store.clone(), at: new.checkpoint, lease: new };
    assert_eq!(runner.documents().await, these([("a", "1")]));
    let info = runner.info().await;
    assert_eq!((info.checkpoint, info.holder.as_deref()), (at, Some("new")));
    done(runner.try_write(6, put("a", "3")).await);
}

/// A lease is taken over from a runner that is well: from then on that one writes nothing, and goes on when it is given
/// back.
pub async fn a_lease_is_taken_over_on_purpose<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut runner = Runner::live(harness.store()).await;
    runner.write(5, put("a", "1")).await;
    for other in stores(&harness).await {
        let taken = done(other.take_over(runner.id(), &terms("a rebuild")).await);
        assert!(taken.epoch > runner.lease.epoch, "epochs only rise");
        assert_eq!(taken.checkpoint, Position::new(5));
        let refusal = refused(runner.try_write(6, put("a", "2")).await);
        assert!(matches!(refusal, CheckpointError::Fenced { .. }), "{refusal:?}");
        let refusal = refused(runner.store.acquire(runner.id(), &terms("runner")).await);
        assert_held(&refusal, runner.id(), "a rebuild", Duration::from_secs(3_600));
        done(other.release(&taken).await);
        runner.lease = done(runner.store.acquire(runner.id(), &terms("runner")).await);
    }
    runner.write(6, put("a", "2")).await;
    assert_eq!(runner.documents().await, these([("a", "2")]));
    let nobody = SubscriberId::new(ORDERS, 99).expect("it is a name");
    let refusal = refused(runner.store.take_over(&nobody, &terms("a rebuild")).await);
    assert!(matches!(refusal, LeaseError::Unknown { .. }), "{refusal:?}");
}

/// Each written step and each renewal keeps a lease for its whole time from then on.
pub async fn signs_of_life_keep_a_lease<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    let id = done(store.open(ORDERS, 1).await);
    let lasts = Duration::from_millis(300);
    let lease = done(store.acquire(&id, &LeaseTerms { holder: "alive".into(), lasts }).await);
    let (began, mut at) = (Instant::now(), 0);
    while began.elapsed() < 3 * lasts {
        let alive_at = Instant::now();
        match at % 3 {
            0 => done(store.renew(&lease).await),
            1 => done(store.advance(&step(&lease, Position::new(at / 3), at / 3)).await),
            _ => done(store.commit(&step(&lease, Position::new(at / 3), at / 3 + 1), put("a", "1")).await),
        }
        at += 1;
        let answer = store.acquire(&id, &terms("other")).await;
        // A machine that stood still for a whole lease has shown nothing.
        if alive_at.elapsed() >= lasts {
            return;
        }
        assert_held(&refused(answer), &id, "alive", lasts);
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// A lease that ran out, but that nobody took over, can still be used: nothing was lost.
pub async fn a_lease_that_nobody_took_over_can_be_used<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let store = harness.store();
    let id = done(store.open(ORDERS, 1).await);
    let terms = LeaseTerms { holder: "slow".into(), lasts: Duration::ZERO };
    let lease = done(store.acquire(&id, &terms).await);
    assert_eq!(info(&*store, &id).await.holder, None, "a lease that ran out has no holder");
    done(store.renew(&lease).await);
    done(store.advance(&step(&lease, Position::START, 4)).await);
    let next = done(store.acquire(&id, &terms).await);
    assert_eq!(next.checkpoint, Position::new(4));
    let refusal = refused(store.advance(&step(&lease, Position::new(4), 5)).await);
    assert!(matches!(refusal, CheckpointError::Fenced { .. }), "{refusal:?}");
    let for_ever = LeaseTerms { holder: "for ever".into(), lasts: Duration::MAX };
    done(store.acquire(&id, &for_ever).await);
    refused(store.acquire(&id, &terms).await);
}

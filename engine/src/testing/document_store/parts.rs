//! Parts: several subscribers, each with a checkpoint of its own, that write into one generation at once.

use super::{
    harness::{DocumentStoreHarness, stores},
    runner::{ORDERS, Runner, documents, done, info, page, parked, put, refused, settle, step, terms, these},
};
use crate::{
    Change, CheckpointError, DocumentStore, Json, Lease, PageWrite, Position, Slot, Step, SubscriberId,
    error_text,
};
use std::sync::Arc;
use tokio::task::JoinSet;

/// A part under its lease, and what it writes into.
struct Part {
    store: Arc<dyn DocumentStore>,
    into: SubscriberId,
    lease: Lease,
}

impl Part {
    /// Part `number` of [`ORDERS`].
    async fn of(store: Arc<dyn DocumentStore>, number: usize) -> Self {
        let into = done(store.open(ORDERS, 1).await);
        let part = done(store.open(&format!("{ORDERS}-at-{number}"), 1).await);
        let lease = done(store.acquire(&part, &terms("part")).await);
        Self { store, into, lease }
    }

    async fn seen(&self, keys: &[&str]) -> Vec<(Arc<str>, Slot)> {
        let keys: Vec<Arc<str>> = keys.iter().map(|key| Arc::from(*key)).collect();
        let slots = done(self.store.load(&self.into, &keys).await);
        keys.into_iter().zip(slots).collect()
    }

    fn step(&self, to: u64) -> Step {
        step(&self.lease, self.lease.checkpoint, to)
    }

    async fn try_write(
        &self,
        to: u64,
        seen: &[(Arc<str>, Slot)],
        page: PageWrite,
    ) -> Result<(), CheckpointError> {
        self.store.commit_part(&self.step(to), &self.into, seen, page).await
    }

    async fn write(&mut self, to: u64, keys: &[&str], page: PageWrite) {
        let seen = self.seen(keys).await;
        done(self.try_write(to, &seen, page).await);
        self.lease.checkpoint = Position::new(to);
    }

    async fn at(&self) -> u64 {
        info(&*self.store, &self.lease.subscriber).await.checkpoint.get()
    }
}

/// A page of a part is written from where the part stands and under its lease, or not at all.
pub async fn a_page_of_a_part_counts_once<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut one, mut other) = (Part::of(harness.store(), 0).await, Part::of(harness.store(), 1).await);
    one.write(10, &["a"], put("a", "1")).await;
    other.write(4, &["b"], put("b", "2")).await;
    assert_eq!((one.at().await, other.at().await), (10, 4), "each stands where it has come to");
    assert_eq!(info(&*one.store, &one.into).await.checkpoint, Position::START);
    let seen = one.seen(&["a"]).await;
    for (from, to) in [(0, 10), (0, 20), (11, 20)] {
        let step = Step { from: Position::new(from), ..one.step(to) };
        match refused(one.store.commit_part(&step, &one.into, &seen, put("a", "9")).await) {
            CheckpointError::Moved { subscriber, actual, .. } => {
                assert_eq!((subscriber, actual.get()), (one.lease.subscriber.clone(), 10));
            }
            other => panic!("expected moved, got {other:?}"),
        }
    }
    done(one.store.release(&one.lease).await);
    let next = done(one.store.acquire(&one.lease.subscriber, &terms("next")).await);
    assert_eq!(next.checkpoint.get(), 10);
    let late = refused(one.try_write(20, &seen, put("a", "9")).await);
    assert!(matches!(late, CheckpointError::Fenced { .. }), "{late:?}");
    other.write(4, &["b"], page([("b", None)])).await;
    assert_eq!(documents(&*one.store, &one.into).await, these([("a", "1")]));
}

/// A page is refused whole when a document that it touches is another than was loaded: changed, gone or come, or
/// events were parked under its key or settled there.
pub async fn a_document_that_changed_meanwhile_refuses_the_page_of_a_part<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let (mut one, mut other) = (Part::of(harness.store(), 0).await, Part::of(harness.store(), 1).await);
    let parking = |key| PageWrite { park: vec![parked(key, 3)], ..PageWrite::default() };
    one.write(1, &["a", "b", "c", "z"], page([("a", Some("1")), ("c", Some("1")), ("z", Some("1"))])).await;
    let meanwhile = [
        ("a", put("a", "2")),
        ("a", page([("a", None)])),
        ("b", put("b", "1")),
        ("c", parking("c")),
        ("d", parking("d")),
        ("d", settle([("d", 3)])),
    ];
    for (key, changed) in meanwhile {
        let seen = one.seen(&["z", key]).await;
        let at = other.lease.checkpoint.get() + 1;
        other.write(at, &[key], changed).await;
        let before = documents(&*one.store, &one.into).await;
        let mut late = page([("z", Some("9"))]);
        late.park = vec![parked("z", 8)];
        match refused(one.try_write(20, &seen, late).await) {
            CheckpointError::Raced { subscriber, key: told } => {
                assert_eq!((subscriber, told.as_str()), (one.into.clone(), key));
            }
            other => panic!("expected {key} to be another by now, got {other:?}"),
        }
        assert_eq!(documents(&*one.store, &one.into).await, before, "a refused page left something");
        assert_eq!(one.at().await, 1, "a refused page moved the checkpoint");
        assert!(!one.seen(&["z"]).await[0].1.parked, "a refused page parked something");
    }
    // What another part does to other documents is no matter, nor what it leaves as it is.
    let seen = one.seen(&["z", "c"]).await;
    other.write(30, &["e", "z"], put("e", "1")).await;
    done(one.try_write(20, &seen, put("z", "2")).await);
    assert_eq!(documents(&*one.store, &one.into).await.get("z").map(String::as_str), Some("2"));
}

/// Parts that count into the same documents at once lose no count, and repeat none, whoever makes a document first and
/// whoever deletes it.
pub async fn of_racing_parts_each_event_counts_once<H: DocumentStoreHarness>() {
    // With 40, a store that locks no rows before it looks at them was not found out.
    const EVENTS: u64 = 150;
    const KEYS: [&str; 4] = ["a", "b", "c", KEPT];
    let harness = H::open().await;
    let mut tasks = JoinSet::new();
    for (number, store) in stores(&harness).await.into_iter().cycle().take(4).enumerate() {
        let mut part = Part::of(store, number).await;
        tasks.spawn(async move {
            // Each in an order of its own: stores take care that no two wait for each other.
            let mut keys = KEYS;
            keys.rotate_left(number % KEYS.len());
            for to in 1..=EVENTS {
                loop {
                    let seen = part.seen(&keys).await;
                    // In between the others come by.
                    tokio::task::yield_now().await;
                    let counted = |(key, slot): &(Arc<str>, Slot)| (key.clone(), counted(key, slot));
                    let page =
                        PageWrite { changes: seen.iter().map(counted).collect(), ..PageWrite::default() };
                    match part.try_write(to, &seen, page).await {
                        Ok(()) => break part.lease.checkpoint = Position::new(to),
                        Err(CheckpointError::Raced { .. }) => tokio::task::yield_now().await,
                        Err(error) => panic!("the store failed: {}", error_text(&error)),
                    }
                }
            }
            assert_eq!(part.at().await, EVENTS);
        });
    }
    tasks.join_all().await;
    let part = Part::of(harness.store(), 9).await;
    let all = 4 * EVENTS;
    for (key, slot) in part.seen(&KEYS).await {
        let counts = if *key == *KEPT { all } else { all % GONE_AT };
        assert_eq!(value(&slot), counts, "counts under {key}");
    }
}

/// A document that has come so far is deleted: so they come and go while parts race.
const GONE_AT: u64 = 7;

/// All but this one, which tells how many counts were lost: a multiple of seven would not show in the others.
const KEPT: &str = "kept";

fn value(slot: &Slot) -> u64 {
    slot.document.as_ref().map_or(0, |json| json.read().expect("a number"))
}

fn counted(key: &str, slot: &Slot) -> Change {
    match value(slot) + 1 {
        count if key == KEPT => Change::Put(Json::stored(count.to_string())),
        GONE_AT => Change::Delete,
        count => Change::Put(Json::stored(count.to_string())),
    }
}

/// Parts that take the same documents in opposite orders, some of them new, all come to an end by themselves.
pub async fn parts_that_touch_each_others_documents_never_block_each_other<H: DocumentStoreHarness>() {
    const ROUNDS: u64 = 20;
    let harness = H::open().await;
    let mut tasks = JoinSet::new();
    for (number, store) in stores(&harness).await.into_iter().cycle().take(4).enumerate() {
        let mut part = Part::of(store, number).await;
        tasks.spawn(async move {
            for round in 1..=ROUNDS {
                let names: Vec<String> = (0..round * 10).map(|n| format!("{n:04}")).collect();
                let mut keys: Vec<&str> = names.iter().map(String::as_str).collect();
                if number % 2 == 1 {
                    keys.reverse();
                }
                loop {
                    let seen = part.seen(&keys).await;
                    let text = (round * 10 + number as u64).to_string();
                    let parks = number == 3 && round % 5 == 0;
                    let mut page = page(keys.iter().map(|key| (*key, Some(text.as_str()))));
                    if parks {
                        page.park = vec![parked(keys[0], round)];
                    }
                    match part.try_write(round, &seen, page).await {
                        Ok(()) => break part.lease.checkpoint = Position::new(round),
                        Err(CheckpointError::Raced { .. }) => tokio::task::yield_now().await,
                        Err(error) => panic!("a part failed: {}", error_text(&error)),
                    }
                }
            }
        });
    }
    tasks.join_all().await;
}

/// What a log fills, in one lane or in several, takes no parts, nor does a generation that was replaced or is not
/// there.
pub async fn parts_write_only_into_what_no_log_fills<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let mut part = Part::of(harness.store(), 0).await;
    part.write(5, &["a"], put("a", "1")).await;
    let building = done(part.store.start_rebuild(ORDERS, 1).await);
    let seen = part.seen(&["a"]).await;
    done(part.store.switch(&building).await);
    let retired = refused(part.try_write(6, &seen, put("a", "2")).await);
    assert!(
        matches!(&retired, CheckpointError::Retired { subscriber } if *subscriber == part.into),
        "{retired:?}"
    );
    part.into = building;
    part.write(6, &["a"], put("a", "3")).await;
    let mut log = Runner::of(part.store.clone(), &part.into).await;
    let seen = part.seen(&["a"]).await;
    log.write(7, PageWrite::default()).await;
    let filled = refused(part.try_write(8, &seen, put("a", "4")).await);
    assert!(
        matches!(&filled, CheckpointError::Moved { subscriber, .. } if *subscriber == part.into),
        "{filled:?}"
    );
    assert_eq!((part.at().await, documents(&*part.store, &part.into).await), (6, these([("a", "3")])));
    let nobody = SubscriberId::new("nobody", 1).expect("a name");
    let unknown = part.store.commit_part(&part.step(8), &nobody, &[], PageWrite::default()).await;
    assert!(matches!(refused(unknown), CheckpointError::Store(error) if !error.is_transient()));
    assert_eq!(part.at().await, 6);
}

/// Limits hold, and what was not loaded is not written.
pub async fn a_page_of_a_part_is_checked_as_any_other<H: DocumentStoreHarness>() {
    let harness = H::open().await;
    let part = Part::of(harness.store(), 0).await;
    let seen = part.seen(&["a"]).await;
    let nul = refused(part.try_write(1, &seen, put("a", r#""\u0000""#)).await);
    assert!(matches!(nul, CheckpointError::Nul { .. }), "{nul:?}");
    for unseen in
        [put("b", "1"), settle([("b", 1)]), PageWrite { park: vec![parked("b", 1)], ..PageWrite::default() }]
    {
        let refusal = refused(part.try_write(1, &seen, unseen).await);
        assert!(matches!(&refusal, CheckpointError::Store(error) if !error.is_transient()), "{refusal:?}");
    }
    assert_eq!(part.at().await, 0);
}

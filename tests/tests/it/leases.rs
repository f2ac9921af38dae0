//! Read models change hands between processes: none is folded twice, none stands still for long.

use crate::{
    books::assert_same_as_replayed,
    ledger::whole_log,
    paused::pause,
    postgres,
    process::{LINE_MAX, Process},
    seed::rng,
};
use annals::Position;
use annals_sqlite::views_beside;
use annals_tests::{Report, Shop};
use northwind_aggregates::{Burst, BurstTerms, OrderCommand};
use rustix::process::Signal;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    time::{Duration, Instant},
};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

/// Longer than any test: who waits for such a lease to run out waits for ever.
const LONG_MS: u64 = 600_000;

/// Three signs of life fit in: a busy machine that delays two of them changes nothing.
const SHORT_MS: u64 = 3_000;

/// How long taking over may last beyond the lease: whoever stands by asks once a second, on a busy machine.
const TAKE_OVER_MAX: Duration = Duration::from_secs(10);

fn until_orders_handled(process: &mut Process, position: u64) {
    process.until_handled("orders", Position::new(position));
}

fn stop(process: &mut Process) {
    process.tell("stop");
    assert_eq!(process.rest().last(), Some(&Report::Finished));
    assert!(process.ended().success());
}

struct Place {
    _dir: TempDir,
    log: PathBuf,
    /// The URL of the read models in PostgreSQL; beside the log if there is none.
    views: Option<String>,
    shop: Shop,
    orders: Vec<(String, OrderCommand)>,
    /// How many read models there are; each has a lease of its own.
    models: usize,
}

impl Place {
    async fn new(orders: u32, views: Option<String>) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let log = dir.path().join("shop.db");
        let terms = BurstTerms { orders, skus: 10, seed: 7, start: chrono::DateTime::UNIX_EPOCH };
        let orders = Burst::new(terms).unwrap().orders().collect();
        let shop = Shop::open_with(&log, views.as_deref()).await.unwrap();
        let models = shop.models().len();
        Self { _dir: dir, log, views, shop, orders, models }
    }

    fn start(&self, holder: &str, lease_ms: u64) -> Process {
        let lease_ms = lease_ms.to_string();
        let mut arguments = vec!["read-models", self.log.to_str().unwrap()];
        arguments.extend(["--holder", holder, "--lease-ms", &lease_ms]);
        arguments.extend(self.views.iter().flat_map(|views| ["--views", views]));
        Process::start(arguments)
    }

    /// Waits until it runs all read models; where each of them began.
    fn until_it_runs(&self, process: &mut Process) -> BTreeMap<String, u64> {
        let mut began = BTreeMap::new();
        process.until("that it runs all read models", |report| {
            if let Report::Began { subscriber, at } = report {
                began.insert(subscriber.clone(), at.get());
            }
            (began.len() == self.models).then_some(())
        });
        began
    }

    /// Waits until it was refused all leases, because `holder` has them.
    fn until_it_stands_by(&self, process: &mut Process, holder: &str) {
        let mut refused = BTreeSet::new();
        process.until("that it stands by", |report| {
            match report {
                Report::StandsBy { subscriber, holder: by, .. } if by == holder => {
                    refused.insert(subscriber.clone());
                }
                Report::Began { .. } => panic!("{report:?} while {holder} had the lease"),
                _ => {}
            }
            (refused.len() == self.models).then_some(())
        });
    }

    /// Places the orders of this range: one event each.
    async fn place(&self, range: std::ops::Range<usize>) {
        for (number, command) in &self.orders[range] {
            self.shop.place(number, command).await.unwrap();
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_runner_is_taken_over_when_its_lease_has_run_out() {
    a_killed_runner_is_taken_over_when_its_lease_has_run_out_in(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_runner_is_taken_over_when_its_lease_has_run_out_on_postgres() {
    let Some(views) = postgres::schema() else { return };
    a_killed_runner_is_taken_over_when_its_lease_has_run_out_in(Some(views)).await;
}

async fn a_killed_runner_is_taken_over_when_its_lease_has_run_out_in(views: Option<String>) {
    let place = Place::new(100, views).await;
    let mut first = place.start("first", SHORT_MS);
    place.until_it_runs(&mut first);
    place.place(0..50).await;
    until_orders_handled(&mut first, 50);
    let mut second = place.start("second", SHORT_MS);
    place.until_it_stands_by(&mut second, "first");
    first.kill();
    let killed = Instant::now();
    place.place(50..100).await;
    assert_eq!(place.until_it_runs(&mut second)["orders"], 50);
    let waited = killed.elapsed();
    assert!(waited < Duration::from_millis(SHORT_MS) + TAKE_OVER_MAX, "{waited:?}");
    until_orders_handled(&mut second, 100);
    stop(&mut second);
    println!("taken over {waited:?} after the kill, with a lease of {SHORT_MS} ms");
    assert_same_as_replayed(&place.shop).await;
}

/// The control is in the second half: killed instead of stopped, it gives nothing back, and the other one stands by.
#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_runner_is_taken_over_at_once() {
    a_stopped_runner_is_taken_over_at_once_in(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_runner_is_taken_over_at_once_on_postgres() {
    let Some(views) = postgres::schema() else { return };
    a_stopped_runner_is_taken_over_at_once_in(Some(views)).await;
}

async fn a_stopped_runner_is_taken_over_at_once_in(views: Option<String>) {
    let place = Place::new(100, views).await;
    let mut first = place.start("first", LONG_MS);
    place.until_it_runs(&mut first);
    place.place(0..50).await;
    until_orders_handled(&mut first, 50);
    let mut second = place.start("second", LONG_MS);
    place.until_it_stands_by(&mut second, "first");
    stop(&mut first);
    let stopped = Instant::now();
    assert_eq!(place.until_it_runs(&mut second)["orders"], 50);
    let waited = stopped.elapsed();
    assert!(waited < TAKE_OVER_MAX, "{waited:?}");
    println!("taken over {waited:?} after the stop, with a lease of {LONG_MS} ms");
    place.place(50..100).await;
    until_orders_handled(&mut second, 100);
    let mut third = place.start("third", LONG_MS);
    place.until_it_stands_by(&mut third, "second");
    second.kill();
    place.until_it_stands_by(&mut third, "second");
    place.until_it_stands_by(&mut third, "second");
    third.kill();
    assert_same_as_replayed(&place.shop).await;
}

/// How it was broken: when the document store does not compare epochs (`check_lease` in its `generation.rs`), with or
/// without the comparison of checkpoints, the resumed runner tells `Handled` beyond where the other began.
#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_was_paused_past_its_lease_writes_nothing() {
    a_runner_that_was_paused_past_its_lease_writes_nothing_in(None).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_runner_that_was_paused_past_its_lease_writes_nothing_on_postgres() {
    let Some(views) = postgres::schema() else { return };
    a_runner_that_was_paused_past_its_lease_writes_nothing_in(Some(views)).await;
}

async fn a_runner_that_was_paused_past_its_lease_writes_nothing_in(views: Option<String>) {
    const ROUNDS: usize = 3;
    const ROUNDS_MAX: usize = 10;
    const ORDERS: usize = 40_000;
    let (place, mut rng) = (std::sync::Arc::new(Place::new(ORDERS as u32, views).await), rng());
    let enough = CancellationToken::new();
    let placing = {
        let (place, enough) = (place.clone(), enough.clone());
        tokio::spawn(async move {
            for at in 0..ORDERS {
                if enough.is_cancelled() {
                    return at;
                }
                place.place(at..at + 1).await;
            }
            ORDERS
        })
    };
    let mut paused = place.start("first", SHORT_MS);
    place.until_it_runs(&mut paused);
    let mut taking = place.start("second", SHORT_MS);
    place.until_it_stands_by(&mut taking, "first");
    let (mut fenced_handling, mut rounds) = (0, 0);
    // Where the pause falls is left to chance: there are more of them until one fell into a page.
    while rounds < ROUNDS || (fenced_handling == 0 && rounds < ROUNDS_MAX) {
        rounds += 1;
        let other = if rounds % 2 == 1 { "second" } else { "first" };
        for _ in 0..rng.u32(1..50) {
            paused.until("a page", |report| matches!(report, Report::Handled { .. }).then_some(()));
        }
        match place.views {
            None => pause(&paused, &[&views_beside(&place.log)]),
            // There a page of documents is one call: whoever is paused holds nothing up. A page of the one with tables
            // of its own is taken back by the server, sooner than the story stops waiting.
            Some(_) => paused.signal(Signal::STOP),
        }
        let began = place.until_it_runs(&mut taking);
        until_orders_handled(&mut taking, began["orders"] + 1);
        paused.signal(Signal::CONT);
        let mut lost = BTreeSet::new();
        paused.until("that all of its leases are lost", |report| {
            match report {
                Report::Handled { subscriber, at } => assert!(at.get() <= began[subscriber], "{report:?}"),
                Report::Began { .. } => panic!("{report:?} while the other had the lease"),
                Report::Fenced { subscriber, doing } => {
                    fenced_handling += u32::from(doing == "handle");
                    lost.insert(subscriber.clone());
                }
                // Paused while it connected, its call was out of time before it was refused: it learns of it here.
                Report::StandsBy { subscriber, holder, .. } if holder == other => {
                    lost.insert(subscriber.clone());
                }
                _ => {}
            }
            (lost.len() == place.models).then_some(())
        });
        std::mem::swap(&mut paused, &mut taking);
    }
    enough.cancel();
    let orders = tokio::time::timeout(LINE_MAX, placing).await.expect("an order is placed").unwrap();
    until_orders_handled(&mut paused, orders as u64);
    stop(&mut paused);
    stop(&mut taking);
    assert_eq!(whole_log(&*place.shop.store).await.len(), orders);
    let documents = assert_same_as_replayed(&place.shop).await;
    println!(
        "{rounds} pauses, {fenced_handling} with a page in hand; {orders} orders, {documents} documents as replayed"
    );
    assert!(fenced_handling > 0, "no page was in hand when a runner was paused");
}

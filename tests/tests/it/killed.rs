//! `kill -9` at random moments under load: what was acknowledged stays, once, and everything else is whole.

use crate::{
    books::{assert_books, assert_same_as_replayed},
    ledger::{Ledger, whole_log},
    process::Process,
    seed::rng,
};
use annals_sqlite::{SqliteOptions, SqliteStore};
use annals_tests::{Report, Shop};
use northwind_aggregates::{Burst, BurstTerms};
use std::{collections::HashSet, path::Path};

/// How often the process is killed, unless the environment says otherwise.
const KILLS: u32 = 5;

/// Says how often: `ANNALS_KILLS=25`.
const KILLS_VARIABLE: &str = "ANNALS_KILLS";

/// A process is killed after at most this many acknowledged commits.
const COMMITS_BEFORE_A_KILL_MAX: u32 = 400;

/// Enough that no process comes to the end before it is killed: about half of the commits place an order.
const ORDERS_A_KILL: u32 = 280;

/// How many orders are sent again although they were answered.
const RESENT: usize = 16;

/// How many orders are on their way at once: few, so that policies have most of what is acknowledged.
const AT_ONCE: &str = "4";

/// Short, so that policies and read models run again soon after a kill.
const LEASE_MS: u64 = 40;

struct Story<'a> {
    log: &'a Path,
    orders: u32,
    seed: u64,
    early: bool,
    ledger: Ledger,
    /// The streams of the orders that were answered.
    answered: HashSet<String>,
}

impl Story<'_> {
    fn burst(&self) -> Burst {
        let start = chrono::DateTime::UNIX_EPOCH;
        Burst::new(BurstTerms { orders: self.orders, skus: 20, seed: self.seed, start }).unwrap()
    }

    /// Goes on with the first order that was not answered, and sends a few before it again.
    fn start(&self) -> Process {
        let answered = |number: &String| self.answered.contains(&format!("order-{number}"));
        let from = self.burst().orders().take_while(|(number, _)| answered(number)).count();
        let from = from.saturating_sub(RESENT).to_string();
        let (orders, seed, lease) = (self.orders.to_string(), self.seed.to_string(), LEASE_MS.to_string());
        let mut arguments = vec!["orders", self.log.to_str().unwrap()];
        arguments.extend(["--orders", &orders, "--skus", "20", "--seed", &seed, "--from", &from]);
        arguments.extend(["--at-once", AT_ONCE, "--lease-ms", &lease]);
        arguments.extend(self.early.then_some("--early"));
        Process::start(arguments)
    }

    fn take(&mut self, report: &Report) {
        self.ledger.take(report);
        if let Report::Answered { stream, .. } = report {
            self.answered.insert(stream.clone());
        }
    }

    /// Starts a process and kills it after `commits` acknowledged commits.
    fn kill_after(&mut self, commits: u32) {
        let mut process = self.start();
        let mut seen = 0;
        while seen < commits {
            let report =
                process.next().unwrap_or_else(|| panic!("it ended after {seen} of {commits} commits"));
            seen += u32::from(matches!(report, Report::Acknowledged { .. }));
            self.take(&report);
        }
        process.kill().iter().for_each(|report| self.take(report));
    }

    /// Lets a process come to the end.
    fn finish(&mut self) {
        let mut process = self.start();
        let rest = process.rest();
        rest.iter().for_each(|report| self.take(report));
        assert_eq!(rest.last(), Some(&Report::Finished));
        assert!(process.ended().success());
    }

    async fn problems(&self) -> Vec<String> {
        let store = SqliteStore::open(&SqliteOptions::new(self.log)).unwrap();
        self.ledger.problems(&store).await
    }
}

fn kills() -> u32 {
    match std::env::var(KILLS_VARIABLE) {
        Ok(number) => number.parse().unwrap_or_else(|_| panic!("{KILLS_VARIABLE}={number} is no number")),
        Err(_) => KILLS,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_acknowledged() {
    let (kills, dir, mut rng) = (kills(), tempfile::tempdir().unwrap(), rng());
    let (log, seed) = (dir.path().join("shop.db"), rng.u64(1..1_000_000));
    let (orders, ledger) = (kills * ORDERS_A_KILL, Ledger::default());
    let mut story = Story { log: &log, orders, seed, early: false, ledger, answered: HashSet::new() };
    for kill in 1..=kills {
        story.kill_after(rng.u32(1..=COMMITS_BEFORE_A_KILL_MAX));
        assert_eq!(story.problems().await, Vec::<String>::new(), "after kill {kill} of {kills}");
    }
    let (answers, events, repeats) = (story.ledger.answers(), story.ledger.events(), story.ledger.repeats);
    story.finish();
    assert_eq!(story.problems().await, Vec::<String>::new(), "at the end");
    assert_eq!(story.ledger.answers(), orders as usize);
    let shop = Shop::open(&log).unwrap();
    let books = assert_books(&whole_log(&*shop.store).await);
    assert_eq!(books.orders, u64::from(orders));
    let documents = assert_same_as_replayed(&shop).await;
    println!(
        "{kills} kills; by the last one {events} events were acknowledged and {answers} orders answered, {repeats} of them \
         again; at the end {} events, {} orders: {} confirmed, {} cancelled; {documents} documents as replayed",
        story.ledger.events(),
        books.orders,
        books.confirmed,
        books.cancelled
    );
    assert!(repeats > 0 || kills < 2, "no answered order was sent again");
}

/// The control: a process that acknowledges before the store has answered is found out.
#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_acknowledges_too_early_is_found_out() {
    let (dir, mut rng) = (tempfile::tempdir().unwrap(), rng());
    for kill in 1..=25 {
        // A log of its own each time: what is lost may arrive later, when the order is sent again.
        let (log, seed) = (dir.path().join(format!("shop-{kill}.db")), rng.u64(1..1_000_000));
        let ledger = Ledger::default();
        let mut story =
            Story { log: &log, orders: 1_000, seed, early: true, ledger, answered: HashSet::new() };
        story.kill_after(rng.u32(50..=COMMITS_BEFORE_A_KILL_MAX));
        let problems = story.problems().await;
        let lost = problems.iter().filter(|problem| problem.ends_with("is lost")).count();
        if lost > 0 {
            println!("found out at kill {kill}: {lost} of {} events lost", story.ledger.events());
            return;
        }
    }
    panic!("25 kills and nothing that was acknowledged too early was missed");
}

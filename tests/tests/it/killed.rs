//! `kill -9` at random moments under load: what was acknowledged stays, once, and everything else is whole.

use crate::{
    books::{assert_books, assert_same_as_replayed},
    ledger::{Ledger, whole_log},
    postgres::schema,
    process::Process,
    seed::rng,
};
use annals_postgres::PostgresStore;
use annals_sqlite::{SqliteOptions, SqliteStore};
use annals_tests::{Report, Shop};
use northwind_aggregates::{Burst, BurstTerms};
use std::collections::HashSet;

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

/// The same on a server, where taking one over also makes views anew.
const SERVER_LEASE_MS: u64 = 1_500;

struct Story {
    /// A file, or the URL of a database.
    log: String,
    orders: u32,
    seed: u64,
    early: bool,
    ledger: Ledger,
    /// The streams of the orders that were answered.
    answered: HashSet<String>,
}

impl Story {
    fn new(log: &str, orders: u32, seed: u64, early: bool) -> Self {
        let ledger = Ledger::default();
        Self { log: log.into(), orders, seed, early, ledger, answered: HashSet::new() }
    }

    fn lease_ms(&self) -> u64 {
        if self.log.starts_with("postgres:") { SERVER_LEASE_MS } else { LEASE_MS }
    }

    fn burst(&self) -> Burst {
        let start = chrono::DateTime::UNIX_EPOCH;
        Burst::new(BurstTerms { orders: self.orders, skus: 20, seed: self.seed, start }).unwrap()
    }

    /// Goes on with the first order that was not answered, and sends a few before it again.
    fn start(&self) -> Process {
        let answered = |number: &String| self.answered.contains(&format!("order-{number}"));
        let from = self.burst().orders().take_while(|(number, _)| answered(number)).count();
        let from = from.saturating_sub(RESENT).to_string();
        let (orders, seed, lease) =
            (self.orders.to_string(), self.seed.to_string(), self.lease_ms().to_string());
        let mut arguments = vec!["orders", &self.log];
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
        if self.log.starts_with("postgres:") {
            let store = PostgresStore::open(&self.log.parse().unwrap()).await.unwrap();
            return self.ledger.problems_in(&whole_log(&store).await);
        }
        let store = SqliteStore::open(&SqliteOptions::new(&self.log)).unwrap();
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
    let dir = tempfile::tempdir().unwrap();
    assert_nothing_is_lost(dir.path().join("shop.db").to_str().unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_process_loses_nothing_that_it_acknowledged_on_postgres() {
    let Some(log) = schema() else { return };
    assert_nothing_is_lost(&log).await;
}

async fn assert_nothing_is_lost(log: &str) {
    let (kills, mut rng) = (kills(), rng());
    let orders = kills * ORDERS_A_KILL;
    let mut story = Story::new(log, orders, rng.u64(1..1_000_000), false);
    for kill in 1..=kills {
        story.kill_after(rng.u32(1..=COMMITS_BEFORE_A_KILL_MAX));
        assert_eq!(story.problems().await, Vec::<String>::new(), "after kill {kill} of {kills}");
    }
    let (answers, events, repeats) = (story.ledger.answers(), story.ledger.events(), story.ledger.repeats);
    story.finish();
    assert_eq!(story.problems().await, Vec::<String>::new(), "at the end");
    assert_eq!(story.ledger.answers(), orders as usize);
    let shop = Shop::open_at(log, |store| store).await.unwrap();
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
    let dir = tempfile::tempdir().unwrap();
    let log = |kill| dir.path().join(format!("shop-{kill}.db")).to_str().unwrap().to_owned();
    assert_found_out(log).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_acknowledges_too_early_is_found_out_on_postgres() {
    if schema().is_some() {
        assert_found_out(|_| schema().unwrap()).await;
    }
}

async fn assert_found_out(log: impl Fn(u32) -> String) {
    let mut rng = rng();
    for kill in 1..=25 {
        // A log of its own each time: what is lost may arrive later, when the order is sent again.
        let mut story = Story::new(&log(kill), 1_000, rng.u64(1..1_000_000), true);
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

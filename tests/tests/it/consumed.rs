//! Another service fills read models from topics, in processes that are killed at random moments: they are those of the
//! log.

use crate::{
    broker::Dispatch,
    placed::{placing, publish},
    postgres::{looking, schema, texts},
    process::Process,
    seed::rng,
    waiting::until,
};
use annals::{DocumentStore, LogFilter, PageLimit, Position};
use annals_tests::{Report, Shop, documents_at};
use northwind_aggregates::OrderEvent;
use std::{collections::BTreeMap, path::Path};

/// How often a process is killed, unless the environment says otherwise.
const KILLS: u64 = 2;

/// Says how often: `ANNALS_KILLS=25`.
const KILLS_VARIABLE: &str = "ANNALS_KILLS";

/// How many orders are placed before each kill.
const ORDERS: u32 = 750;

/// How many processes run at once.
const PROCESSES: usize = 2;

const LEASE_MS: &str = "1500";
const PREFIX: &str = "shop.";

/// What consumers fill, and the log too.
const READ_MODELS: [&str; 4] = ["orders", "stock", "sales-per-day", "sales-per-sku"];

/// How it was broken: with pages written upon whatever is there (in `SqliteDocuments::commit_part`, no look at what was
/// seen). Days and articles that several partitions touch then count too little, and it never comes to an end.
#[tokio::test(flavor = "multi_thread")]
async fn read_models_filled_from_topics_by_processes_that_are_killed_are_those_of_the_log() {
    let Some(dispatch) = Dispatch::start("consumers killed") else { return };
    let room = tempfile::tempdir().unwrap();
    filled_by_processes_that_are_killed(&dispatch, room.path().join("reporting.db").to_str().unwrap()).await;
}

/// How it was broken: as above; here it is `commit_part` of `0006_commit_part.sql` that looks at what was seen
/// (`raced_key`).
#[tokio::test(flavor = "multi_thread")]
async fn read_models_in_postgres_filled_by_processes_that_are_killed_are_those_of_the_log() {
    let Some(views) = schema() else { return };
    let Some(dispatch) = Dispatch::start("consumers killed, PostgreSQL") else { return };
    filled_by_processes_that_are_killed(&dispatch, &views).await;
}

async fn filled_by_processes_that_are_killed(dispatch: &Dispatch, views: &str) {
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let room = tempfile::tempdir().unwrap();
    let log = room.path().join("shop.db");
    place(&log, 0);
    let shop = Shop::open(&log).unwrap();
    let url = dispatch.broker.url();
    publish(&shop, &url, PREFIX).await;

    let documents = documents_at(views).await.unwrap();
    let equal = async || {
        contents(&*documents).await == contents(&*shop.documents).await && has_all_steps(&shop, views).await
    };
    let start = |number: u64| {
        let holder = format!("consumer {number}");
        let to = ["consume", views, "--from", &url, "--prefix", PREFIX];
        Process::start(to.into_iter().chain(["--holder", &holder, "--lease-ms", LEASE_MS]))
    };
    let (mut rng, mut in_the_middle) = (rng(), 0);
    let mut running: Vec<Process> = (0..PROCESSES as u64).map(start).collect();
    for kill in 0..kills {
        if kill > 0 {
            place(&log, kill);
            publish(&shop, &url, PREFIX).await;
        }
        // Somewhere on the way, while pages are under way.
        let (before, some) = (handled(&*documents).await, rng.u64(1..20));
        until("they get on", || async { handled(&*documents).await > before + some || equal().await }).await;
        let mut victim = running.remove(rng.usize(..running.len()));
        victim.kill();
        in_the_middle += u64::from(!equal().await);
        running.push(start(PROCESSES as u64 + kill));
    }
    until("all is handled", &equal).await;
    for process in &mut running {
        process.tell("stop");
        assert_eq!(process.rest().last(), Some(&Report::Finished));
    }
    for info in documents.subscribers().await.unwrap() {
        assert_eq!((info.failure, info.parked), (None, 0), "{}", info.subscriber);
    }
    assert_eq!(contents(&*documents).await, contents(&*shop.documents).await);
    println!("{kills} kills, {in_the_middle} of them with records left to handle");
    assert!(in_the_middle > 0, "nobody was killed while there was something to do");
}

/// Places [`ORDERS`] orders, each `burst` others, and has read models and policies handle them.
fn place(log: &Path, burst: u64) {
    assert_eq!(placing(log, ORDERS, burst, LEASE_MS).rest().last(), Some(&Report::Finished));
}

/// Every document of every read model.
async fn contents(documents: &dyn DocumentStore) -> BTreeMap<(&'static str, String), serde_json::Value> {
    let mut all = BTreeMap::new();
    for name in READ_MODELS {
        let Some((live, _)) = documents.live(name).await.unwrap() else { continue };
        for (key, json) in documents.documents(&live, None, PageLimit::MAX).await.unwrap() {
            all.insert((name, key.to_string()), json.read().unwrap());
        }
    }
    all
}

/// Whether the tables in PostgreSQL, if that is where `views` are, hold each step of each order in the log once.
async fn has_all_steps(shop: &Shop, views: &str) -> bool {
    if !views.starts_with("postgres://") {
        return true;
    }
    let (mut steps, mut at) = (BTreeMap::<String, u64>::new(), Position::START);
    loop {
        let page = shop.store.read_log(at, PageLimit::MAX, &LogFilter::of::<OrderEvent>()).await.unwrap();
        page.events.iter().for_each(|event| *steps.entry(event.key().into()).or_default() += 1);
        if page.is_at_head() {
            break;
        }
        at = page.looked;
    }
    let mut wanted: Vec<String> = steps.iter().map(|(number, steps)| format!("{number} {steps}")).collect();
    wanted.sort();
    let mut sql = looking(views).await;
    if texts(&mut sql, "SELECT to_regclass('order_steps') IS NULL").await == ["true"] {
        return wanted.is_empty();
    }
    let mut found = texts(&mut sql, "SELECT concat_ws(' ', number, steps) FROM order_steps").await;
    found.sort();
    found == wanted
}

/// How many documents there are, and how far all parts have come.
async fn handled(documents: &dyn DocumentStore) -> u64 {
    let all = documents.subscribers().await.unwrap();
    all.iter().map(|info| info.checkpoint.get()).sum()
}

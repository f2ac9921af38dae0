//! Another service fills read models from topics, in processes that are killed at random moments: they are those of the log.

use crate::{broker::Dispatch, process::Process, seed::rng, waiting::until};
use annals::{DocumentStore, PageLimit, catch_up};
use annals_kafka::{KafkaOptions, Publisher, PublisherTerms, TopicNames};
use annals_sqlite::SqliteDocuments;
use annals_tests::{Report, Shop};
use std::{collections::BTreeMap, path::Path, sync::Arc};

/// How often a process is killed, unless the environment says otherwise.
const KILLS: u64 = 2;

/// Says how often: `ANNALS_KILLS=25`.
const KILLS_VARIABLE: &str = "ANNALS_KILLS";

/// How many orders are placed.
const ORDERS: &str = "1500";

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
    let kills = std::env::var(KILLS_VARIABLE).map_or(KILLS, |kills| kills.parse().unwrap());
    let room = tempfile::tempdir().unwrap();
    let (log, views) = (room.path().join("shop.db"), room.path().join("reporting.db"));
    let mut placing = Process::start([
        "orders",
        log.to_str().unwrap(),
        "--orders",
        ORDERS,
        "--skus",
        "40",
        "--seed",
        "7",
        "--from",
        "0",
        "--at-once",
        "64",
        "--lease-ms",
        LEASE_MS,
    ]);
    assert_eq!(placing.rest().last(), Some(&Report::Finished));
    let shop = Shop::open(&log).unwrap();
    let url = dispatch.broker.url();
    publish(&shop, &url).await;

    let documents = SqliteDocuments::open(&views).unwrap();
    let start = |number: u64| {
        let holder = format!("consumer {number}");
        Process::start([
            "consume",
            views.to_str().unwrap(),
            "--from",
            &url,
            "--prefix",
            PREFIX,
            "--holder",
            &holder,
            "--lease-ms",
            LEASE_MS,
        ])
    };
    let mut rng = rng();
    let mut running: Vec<Process> = (0..PROCESSES as u64).map(start).collect();
    for kill in 0..kills {
        // Somewhere on the way, while pages are under way.
        let (before, some) = (handled(&documents).await, rng.u64(1..20));
        until("they get on", || async {
            handled(&documents).await > before + some || equal(&shop, &views).await
        })
        .await;
        let mut victim = running.remove(rng.usize(..running.len()));
        victim.kill();
        running.push(start(PROCESSES as u64 + kill));
    }
    until("all is handled", || equal(&shop, &views)).await;
    for process in &mut running {
        process.tell("stop");
        assert_eq!(process.rest().last(), Some(&Report::Finished));
    }
    for info in annals::Checkpoints::subscribers(&documents).await.unwrap() {
        assert_eq!((info.failure, info.parked), (None, 0), "{}", info.subscriber);
    }
    assert_eq!(contents(&documents).await, contents(&*shop.documents).await);
}

async fn publish(shop: &Shop, url: &str) {
    let options: KafkaOptions = url.parse().unwrap();
    let topics = TopicNames::prefixed(PREFIX).unwrap();
    let terms = PublisherTerms { topics, create_topics: Some(4), ..PublisherTerms::default() };
    let mut publisher = Publisher::new("shop", options, terms, shop.store.clone(), shop.documents.clone());
    catch_up(&*shop.store, &mut publisher).await.unwrap();
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

async fn equal(shop: &Shop, views: &Path) -> bool {
    let there = Arc::new(SqliteDocuments::open(views).unwrap());
    contents(&*there).await == contents(&*shop.documents).await
}

/// How many documents there are, and how far all parts have come.
async fn handled(documents: &SqliteDocuments) -> u64 {
    let all = annals::Checkpoints::subscribers(documents).await.unwrap();
    all.iter().map(|info| info.checkpoint.get()).sum()
}

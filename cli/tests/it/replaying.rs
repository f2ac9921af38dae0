//! Read models made anew.

use crate::counters::{Shop, keys, objects, parse};
use annals::LeaseTerms;
use annals_cli::Exit;
use serde_json::json;
use std::{sync::atomic::Ordering, time::Duration};

async fn filled() -> Shop {
    let shop = Shop::new().await;
    for by in 1..=5 {
        shop.raise("a", by).await;
    }
    shop.drain().await;
    shop
}

#[tokio::test]
async fn a_replay_equals_what_was_followed() {
    let shop = filled().await;
    let replayed = shop.json("replay --all --diff").await.remove(0);
    assert_eq!(
        keys(&replayed),
        [
            "differences",
            "events",
            "events_per_second",
            "examples",
            "generation",
            "name",
            "position",
            "seconds",
            "switched"
        ]
    );
    assert_eq!((&replayed["differences"], &replayed["switched"]), (&json!(0), &json!(true)));
    assert_eq!((&replayed["events"], &replayed["position"]), (&json!(10), &json!(10)));
    assert_eq!(replayed["generation"], 2);
    let replayed = shop.json("replay totals totals").await;
    assert_eq!(replayed.len(), 1);
    assert_eq!((&replayed[0]["differences"], &replayed[0]["generation"]), (&json!(null), &json!(3)));
}

/// The control of the test above: a projection that counts otherwise is found out.
#[tokio::test]
async fn a_replay_that_differs_leaves_what_is_live_and_fails() {
    let shop = filled().await;
    shop.totals.off.store(true, Ordering::Relaxed);
    let (text, done) = shop.run("replay totals --diff --json").await;
    let error = done.unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
    let mut told = vec![];
    error.print(false, &mut told).unwrap();
    assert!(String::from_utf8(told).unwrap().contains("`replay totals` switches"));
    let replayed = objects(&text).remove(0);
    assert_eq!((&replayed["differences"], &replayed["switched"]), (&json!(2), &json!(false)));
    assert_eq!(replayed["examples"], json!(["a", "all-a"]));
    assert_eq!(shop.json("query totals a").await[0]["total"], 15);
    let generations = shop.json("projections").await;
    let states: Vec<_> = generations.iter().map(|generation| generation["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["live", "building"]);
    let replayed = shop.json("replay totals").await.remove(0);
    assert_eq!(replayed["switched"], true);
    assert_eq!(shop.json("query totals a").await[0]["total"], 30);
}

#[tokio::test]
async fn a_replay_waits_for_one_that_was_killed_and_goes_on_from_there() {
    let shop = filled().await;
    let documents = &shop.stores.documents;
    let generation = documents.start_rebuild("totals", 1).await.unwrap();
    let terms = LeaseTerms { holder: "a process that was killed".into(), lasts: Duration::from_millis(300) };
    documents.acquire(&generation, &terms).await.unwrap();
    let replayed = shop.json("replay totals").await.remove(0);
    assert_eq!(
        (&replayed["switched"], &replayed["generation"]),
        (&json!(true), &json!(generation.generation()))
    );
}

#[tokio::test]
async fn a_program_without_read_models_replays_none() {
    let global = annals_cli::Global::default();
    let mut output = annals_cli::Output::to(&global, std::io::sink());
    let (service, stores) = (annals_cli::Service::new("annals"), annals_cli::Stores::memory());
    let operation = parse("replay --all").unwrap().operation;
    let stop = tokio_util::sync::CancellationToken::new();
    let done = annals_cli::operations::run_on(&service, &stores, operation, &mut output, &stop).await;
    assert_eq!(done.unwrap_err().exit(), Exit::Usage);
}

#[tokio::test]
async fn projections_tell_what_was_never_projected() {
    let shop = Shop::new().await;
    let generations = shop.json("projections").await;
    assert_eq!(generations.len(), 1);
    assert_eq!((&generations[0]["name"], &generations[0]["generation"]), (&json!("totals"), &json!(null)));
    shop.drain().await;
    let generation = shop.json("projections").await.remove(0);
    for key in [
        "name",
        "version",
        "generation_version",
        "generation",
        "state",
        "position",
        "parked",
        "holder",
        "failure",
    ] {
        assert!(generation.get(key).is_some(), "{key}");
    }
    assert_eq!((&generation["version"], &generation["state"]), (&json!(1), &json!("live")));
}

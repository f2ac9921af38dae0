//! Commands that only look.

use crate::counters::{Mirror, Printed, Shop, keys, objects, parse};
use annals_cli::{Exit, Global, Output, operations};
use serde_json::json;
use std::{
    io::{self, Write},
    sync::Arc,
};
use tokio_util::sync::CancellationToken;

#[tokio::test]
async fn streams_are_listed_by_tenant_and_category() {
    let shop = Shop::new().await;
    shop.raise("b", 1).await;
    shop.raise("a", 1).await;
    shop.raise("a", 1).await;
    shop.foreign("acme/parcel-7", "{}").await;
    let all = shop.json("streams").await;
    assert_eq!(all[0], json!({"stream": "acme/parcel-7", "version": 1}));
    assert_eq!(all[1], json!({"stream": "counter-a", "version": 2}));
    assert_eq!(all.len(), 3);
    assert_eq!(shop.json("streams --tenant acme").await.len(), 1);
    assert_eq!(shop.json("streams --category counter").await.len(), 2);
    assert!(shop.json("streams --category none").await.is_empty());
    let (text, _) = shop.run("streams").await;
    assert_eq!(
        text,
        "stream         version\nacme/parcel-7        1\ncounter-a            2\ncounter-b            1\n"
    );
}

#[tokio::test]
async fn every_stream_is_listed_however_many_pages_there_are() {
    let shop = Shop::new().await;
    for number in 0..2_003 {
        shop.foreign(&format!("parcel-{number}"), "{}").await;
    }
    assert_eq!(shop.json("streams").await.len(), 2_003);
    assert_eq!(shop.json("tail").await.len(), 2_003);
}

#[tokio::test]
async fn a_stream_is_shown_as_it_is_and_as_it_was() {
    let shop = Shop::new().await;
    shop.raise("a", 2).await;
    let between = chrono::Utc::now();
    // The times of the log have microseconds: the next event must be a later one.
    while chrono::Utc::now().timestamp_micros() <= between.timestamp_micros() {}
    shop.raise("a", 3).await;
    let shown = shop.json("show counter-a").await;
    assert_eq!(keys(&shown[0]), ["history", "state", "stream", "version"]);
    assert_eq!(shown[0]["state"], json!({"count": 5, "raises": 2}));
    assert_eq!(shown[0]["history"][1]["payload"], json!({"by": 3}));
    assert_eq!(
        keys(&shown[0]["history"][0]),
        [
            "id",
            "metadata",
            "payload",
            "position",
            "recorded_at",
            "schema_version",
            "stream",
            "type",
            "version"
        ]
    );
    let at = between.to_rfc3339_opts(chrono::SecondsFormat::Micros, true);
    for line in ["show counter-a --version 1".to_string(), format!("show counter-a --at {at}")] {
        let shown = shop.json(&line).await;
        assert_eq!(shown[0]["state"], json!({"count": 2, "raises": 1}), "{line}");
        assert_eq!((&shown[0]["version"], shown[0]["history"].as_array().unwrap().len()), (&json!(1), 1));
    }
    for line in ["show counter-a --version 0", "show counter-a --at 1999-12-31T23:59:59+01:00"] {
        let shown = shop.json(line).await;
        assert_eq!((&shown[0]["version"], &shown[0]["history"]), (&json!(0), &json!([])));
        assert_eq!(shown[0]["state"]["count"], 0);
    }
    let (text, done) = shop.run("show counter-a --version 3 --json").await;
    assert_eq!(
        (&*text, &*done.unwrap_err().to_string()),
        ("", "counter-a: there is no version 3 yet, it is at 2")
    );
    let (text, _) = shop.run("show counter-a").await;
    assert!(text.starts_with("counter-a at version 2\n{\n  \"count\": 5,"), "{text}");
}

#[tokio::test]
async fn a_stream_of_an_unknown_category_has_a_history_only() {
    let shop = Shop::new().await;
    shop.foreign("parcel-7", "{\n\"weight\": 1.50\n}").await;
    let (text, done) = shop.run("show parcel-7 --json").await;
    done.unwrap();
    assert!(text.contains("\"weight\": 1.50"), "{text}");
    assert_eq!(text.lines().count(), 1);
    let shown = objects(&text).remove(0);
    assert_eq!((&shown["state"], &shown["version"]), (&json!(null), &json!(1)));
    assert_eq!(shop.json("show parcel-7 --at 1999-01-01T00:00:00Z").await[0]["history"], json!([]));
}

#[tokio::test]
async fn a_stream_that_does_not_exist_is_a_failure() {
    let (text, done) = Shop::new().await.run("show counter-a --json").await;
    assert_eq!((&*text, done.unwrap_err().exit()), ("", Exit::Failed));
}

#[tokio::test]
async fn the_log_is_printed_by_category_type_and_place() {
    let shop = Shop::new().await;
    shop.raise("a", 1).await;
    shop.foreign("parcel-7", "{}").await;
    shop.raise("a", 2).await;
    let positions = |events: Vec<serde_json::Value>| -> Vec<u64> {
        events.iter().map(|event| event["position"].as_u64().unwrap()).collect()
    };
    assert_eq!(positions(shop.json("tail").await), [1, 2, 3]);
    assert_eq!(positions(shop.json("tail --category counter").await), [1, 3]);
    assert_eq!(positions(shop.json("tail --type Happened").await), [2]);
    assert_eq!(positions(shop.json("tail --category counter --type Happened").await), [0; 0]);
    assert_eq!(positions(shop.json("tail --from 2").await), [2, 3]);
    assert_eq!(positions(shop.json("tail --last 1").await), [3]);
    assert_eq!(positions(shop.json("tail --last 1 --type Happened").await), [2]);
    assert_eq!(positions(shop.json("tail --last 9 --category counter").await), [1, 3]);
    assert_eq!(positions(shop.json("tail --last 0").await), [0; 0]);
    assert_eq!(positions(shop.json("tail --from 99").await), [0; 0]);
}

#[tokio::test]
async fn following_prints_what_comes_and_ends_when_it_is_told_to() {
    let shop = Arc::new(Shop::new().await);
    shop.raise("a", 1).await;
    let stop = CancellationToken::new();
    let program = parse("tail --follow --json --category counter").unwrap();
    let (printed, mut lines) = lines();
    let mut output = Output::to(&program.global, printed);
    let (following, until) = (shop.clone(), stop.clone());
    let task = tokio::spawn(async move {
        operations::run_on(&following.service, &following.stores, program.operation, &mut output, &until)
            .await
    });
    lines.recv().await.unwrap();
    shop.raise("a", 2).await;
    assert!(lines.recv().await.unwrap().contains("\"position\":2"));
    stop.cancel();
    task.await.unwrap().unwrap();
}

/// A writer that sends each line when it is flushed.
fn lines() -> (impl Write + Send + Sync + 'static, tokio::sync::mpsc::UnboundedReceiver<String>) {
    struct Lines(Vec<u8>, tokio::sync::mpsc::UnboundedSender<String>);
    impl Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            let text = String::from_utf8(std::mem::take(&mut self.0)).unwrap();
            text.lines().for_each(|line| self.1.send(line.into()).unwrap());
            Ok(())
        }
    }
    let (send, receive) = tokio::sync::mpsc::unbounded_channel();
    (Lines(vec![], send), receive)
}

#[tokio::test]
async fn an_output_that_nobody_reads_any_more_ends_the_command_quietly() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    let shop = Shop::new().await;
    shop.raise("a", 1).await;
    for line in
        ["streams", "streams --json", "tail", "tail --json", "show counter-a --json", "lag", "check --json"]
    {
        let program = parse(line).unwrap();
        let mut output = Output::to(&program.global, Closed);
        let stop = CancellationToken::new();
        let done =
            operations::run_on(&shop.service, &shop.stores, program.operation, &mut output, &stop).await;
        assert_eq!(done.unwrap_err().exit(), Exit::Closed, "{line}");
    }
}

#[tokio::test]
async fn lag_tells_of_every_subscriber_also_of_those_that_never_ran() {
    let shop = Shop::new().await;
    shop.raise("a", 1).await;
    let lags = shop.json("lag").await;
    let names: Vec<_> = lags.iter().map(|lag| lag["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["totals", "mirror"]);
    for key in
        ["name", "position", "head", "events_behind", "seconds_behind", "generation", "parked", "failure"]
    {
        assert!(lags[0].get(key).is_some(), "{key}");
    }
    assert_eq!((&lags[0]["position"], &lags[0]["events_behind"]), (&json!(0), &json!(1)));
    assert!(lags[0]["seconds_behind"].as_f64().unwrap() >= 0.0);
    shop.drain().await;
    for lag in shop.json("lag").await {
        assert_eq!((&lag["position"], &lag["head"]), (&json!(2), &json!(2)));
        assert_eq!((&lag["events_behind"], &lag["seconds_behind"]), (&json!(0), &json!(0.0)));
        assert_eq!(lag["holder"], json!(null));
    }
}

/// What a consumer of Kafka fills stands in another log: measured by this one, it would be behind, or ahead of its end.
///
/// Broken on purpose, and seen to fail this: `head_of` that gives every name the head of this log.
#[tokio::test]
async fn what_a_consumer_fills_is_not_measured_by_this_log() {
    let shop = Shop::new().await;
    shop.raise("a", 1).await;
    let documents = &shop.stores.documents;
    let read_model = documents.open("totals", 1).await.unwrap();
    let part = annals::part_name(read_model.name(), read_model.generation(), "563ad910-0");
    let part = documents.open(&part, 1).await.unwrap();
    let lease = documents.acquire(&part, &annals::LeaseTerms::default()).await.unwrap();
    let (from, to) = (annals::Position::START, annals::Position::new(9_000));
    let step = annals::Step { subscriber: part.clone(), epoch: lease.epoch, from, to };
    documents.advance(&step).await.unwrap();
    let lags = shop.json("lag").await;
    for (name, kind) in [("totals", "projection"), (part.name(), "part")] {
        let lag = lags.iter().find(|lag| lag["name"] == name).unwrap();
        assert_eq!((&lag["kind"], &lag["failure"]), (&json!(kind), &json!(null)), "{lag}");
        for key in ["head", "events_behind", "seconds_behind"] {
            assert_eq!(lag[key], json!(null), "{key} of {lag}");
        }
    }
    let policy = lags.iter().find(|lag| lag["name"] == "mirror").unwrap();
    assert_eq!(policy["events_behind"], 1, "what the log itself feeds is");
}

#[tokio::test]
async fn draining_carries_out_what_policies_ask_for() {
    let shop = Shop::new().await;
    for by in 101..=120 {
        shop.raise("a", by).await;
    }
    shop.drain().await;
    assert_eq!(shop.json("show counter-all-a").await[0]["state"]["count"], 2_210);
    assert_eq!(shop.json("query totals all-a").await[0]["total"], 2_210);
}

/// The control of the test above: each subscriber once, one after the other, leaves the read model behind.
#[tokio::test]
async fn catching_up_once_is_not_enough() {
    let shop = Shop::new().await;
    shop.raise("a", 1).await;
    let (store, documents) = (shop.stores.store.clone(), shop.stores.documents.clone());
    let mut totals = annals::Projector::new(shop.totals.clone(), store.clone(), documents.clone());
    let mut mirror = annals::PolicyRunner::new(Mirror, shop.engine.clone(), documents);
    annals::catch_up(&*store, &mut totals).await.unwrap();
    annals::catch_up(&*store, &mut mirror).await.unwrap();
    assert_eq!(shop.json("lag").await[0]["events_behind"], 1);
}

#[tokio::test]
async fn draining_waits_for_who_runs_the_subscribers() {
    let shop = Shop::new().await;
    let stop = CancellationToken::new();
    let running = tokio::spawn(shop.service.runner(&shop.stores, &shop.engine).run(stop.clone()));
    shop.raise("a", 1).await;
    let patience = std::time::Duration::from_secs(20);
    annals::wait_for(&*shop.stores.documents, "totals", annals::Position::new(1), patience).await.unwrap();
    shop.raise("a", 2).await;
    shop.drain().await;
    let behind: Vec<_> = shop.json("lag").await.iter().map(|lag| lag["events_behind"].clone()).collect();
    assert_eq!(behind, [0, 0]);
    stop.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn documents_are_printed_as_stored_with_their_keys() {
    let shop = Shop::new().await;
    let error = shop.run("query totals").await.1.unwrap_err();
    assert_eq!(error.exit(), Exit::Failed);
    assert!(error.to_string().contains("nothing was projected yet"));
    for number in 0..1_001 {
        shop.raise(&format!("{number:04}"), number + 100).await;
    }
    shop.drain().await;
    let (text, _) = shop.run("query totals 0007 --json").await;
    assert_eq!(objects(&text), [json!({"key": "0007", "total": 107, "raises": 1})]);
    // PostgreSQL keeps the value, and writes it in its own way.
    if crate::stores::kind() != "postgres" {
        assert_eq!(text, "{\"key\":\"0007\",\"total\":107,\"raises\":1}\n");
    }
    assert_eq!(shop.json("query totals").await.len(), 2_002);
    let (text, _) = shop.run("query totals 0007").await;
    assert_eq!(text, "field   value\nkey      0007\ntotal     107\nraises      1\n");
    let (text, _) = shop.run("query totals").await;
    assert!(text.starts_with(" key  total  raises\n0000    100       1\n"), "{text}");
    let (_, done) = shop.run("query totals nothing").await;
    assert_eq!(done.unwrap_err().exit(), Exit::Failed);
}

#[tokio::test]
async fn a_whole_log_is_found_whole_and_a_foreign_category_is_told() {
    let shop = Shop::new().await;
    shop.raise("a", 1).await;
    shop.foreign("parcel-7", "{}").await;
    shop.drain().await;
    let checked = shop.json("check").await.remove(0);
    assert_eq!((&checked["ok"], &checked["problems"]), (&json!(true), &json!([])));
    assert_eq!((&checked["events"], &checked["streams"]), (&json!(3), &json!(3)));
    assert_eq!(checked["unknown_categories"], json!({"parcel": 1}));
    assert_eq!(checked["settings"]["store"], crate::stores::kind());
}

#[tokio::test]
async fn an_event_that_this_program_cannot_read_is_a_problem() {
    let shop = Shop::new().await;
    shop.foreign("counter-a", "{}").await;
    let (text, done) = shop.run("check --json").await;
    assert_eq!(done.unwrap_err().exit(), Exit::Failed);
    let checked = objects(&text).remove(0);
    assert_eq!((&checked["ok"], &checked["problems_found"]), (&json!(false), &json!(1)));
    assert!(checked["problems"][0].as_str().unwrap().contains("counter-a at version 1"));
}

#[test]
fn json_is_wanted_or_not() {
    let global = Global { json: true, ..Global::default() };
    let printed = Printed::default();
    let mut output = Output::to(&global, printed.clone());
    output.answer(&json!({"a": 1}), |_| "text").unwrap();
    output.flush().unwrap();
    assert_eq!(printed.text(), "{\"a\":1}\n");
}

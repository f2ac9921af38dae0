//! What cannot be consumed is told with the next step.

use crate::{
    consuming::{line, service_of},
    counters::{Totals, parse, service},
    program::Published,
    reading::Reading,
};
use annals::{Commit, EventData, EventId, Expected, Json, Projection, Projector, Registered};
use annals_cli::{CliError, Exit, operations};
use annals_services::KafkaTool;
use serde_json::Value;

/// The error as it is printed with `--json`.
fn told(error: &CliError) -> Value {
    let mut printed = vec![];
    error.print(true, &mut printed).unwrap();
    serde_json::from_slice(&printed).unwrap()
}

pub(crate) fn assert_told(error: &CliError, exit: Exit, thing: &str, reason: &str, next: &str) {
    let told = told(error);
    assert_eq!((error.exit(), &told["thing"]), (exit, &thing.into()), "{told}");
    assert!(told["reason"].as_str().unwrap().contains(reason), "{told}");
    assert!(told["next"].as_str().unwrap().contains(next), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_topic_that_is_missing_is_named_and_made_where_that_is_wanted() {
    let Some(log) = Published::new().await else { return };
    let reading = Reading::of(&log, "counter");
    let shop = service_of(&reading);
    let missing = format!("there is no topic {}counter", log.prefix);
    for more in ["", "--follow"] {
        let (printed, done) = shop.run(&line(&log, more)).await;
        assert_told(&done.unwrap_err(), Exit::Failed, "totals", &missing, "--create-topics PARTITIONS");
        assert!(!printed.contains("totals"), "{printed}");
    }
    let made = shop.json(&line(&log, "--create-topics 2")).await;
    assert_eq!(made[0]["handled"], 0);
    // It is the topic of the publisher that comes, with another name too.
    log.shop.raise("a", 1).await;
    log.publish("");
    let named = format!("--topic counter={}counter", log.prefix);
    let line = line(&log, &named).replace(&format!("--topic-prefix {}", log.prefix), "");
    assert_eq!(shop.json(&line).await[0]["handled"], 1);
}

/// How it was broken: without a look at where the partition ends (in `Consumption::pass_over`), the position far behind it
/// is taken, and what is there is dropped as repeats; without the look at the names (`passing::check`), they are no wrong
/// usage.
#[tokio::test(flavor = "multi_thread")]
async fn records_that_are_gone_end_it_until_a_person_passes_over_them() {
    let Some(log) = Published::new().await else { return };
    for by in 1..=5 {
        log.shop.raise("a", by).await;
    }
    log.publish("--create-topics 1");
    delete_before(&log, 2);
    let reading = Reading::of(&log, "counter");
    let shop = service_of(&reading);
    let (_, done) = shop.run(&line(&log, "")).await;
    let error = done.unwrap_err();
    assert_told(&error, Exit::Failed, "totals", "are missing", "--pass-over totals-1-at-");
    assert_eq!(reading.document("a").await, None);
    // As it was told; and once more, as by whoever starts the same command again.
    let passing = passing(&error);
    let (part, _) = passing.split_once('=').unwrap();
    let behind = format!("--pass-over {part}=99999999");
    let (_, done) = shop.run(&line(&log, &behind)).await;
    assert_told(&done.unwrap_err(), Exit::Failed, part, "has events up to position 5", "from the error");
    for (other, reason) in
        [("totals", "name of no part"), ("sales-1-at-563ad910-0", "no part of what is filled")]
    {
        let option = format!("--pass-over {other}=2");
        let (_, done) = shop.run(&line(&log, &option)).await;
        assert_told(&done.unwrap_err(), Exit::Usage, &option, reason, "");
    }
    let passing = line(&log, &format!("--pass-over {passing}"));
    for handled in [3, 0] {
        assert_eq!(shop.json(&passing).await[0]["handled"], handled);
        assert_eq!(reading.document("a").await.unwrap()["total"], 3 + 4 + 5);
    }
    let (_, done) = shop.run(&line(&log, "--pass-over totals-1-at-0=7")).await;
    assert_told(
        &done.unwrap_err(),
        Exit::Failed,
        "totals-1-at-0",
        "there is no such part",
        "take part and position",
    );
}

/// How it was broken: a partition that tells the bare reason (in `PartTask::handle_held`) stands still for a minute before
/// `consume` gives up, and no position to pass over is told.
#[tokio::test(flavor = "multi_thread")]
async fn an_event_of_another_shape_ends_it_until_a_person_passes_over_it() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    let much = EventData::raw(EventId::random(), "Raised", 1, Json::parse("{\"by\":\"much\"}").unwrap());
    let to_a = Commit::to("counter-a".parse().unwrap(), Expected::Any, [much]);
    log.shop.stores.store.append(to_a).await.unwrap();
    log.shop.raise("b", 3).await;
    log.publish("--create-topics 1");
    let reading = Reading::of(&log, "counter");
    let shop = service_of(&reading);
    let (_, done) = shop.run(&line(&log, "")).await;
    let error = done.unwrap_err();
    let reason = "Raised in counter-a at version 2 (position 2) has a payload of another shape";
    assert_told(&error, Exit::Failed, "totals", reason, "--pass-over totals-1-at-");
    assert_eq!(reading.document("a").await.unwrap()["total"], 1);
    let passing = line(&log, &format!("--pass-over {}", passing(&error)));
    assert_eq!(shop.json(&passing).await[0]["handled"], 1);
    assert_eq!(reading.document("b").await.unwrap()["total"], 3);
}

/// What is to be passed over, as the error tells it.
fn passing(error: &CliError) -> String {
    let next = told(error)["next"].as_str().unwrap().to_string();
    let passing = next.split_whitespace().skip_while(|word| *word != "--pass-over").nth(1).unwrap();
    passing.trim_end_matches(';').to_string()
}

/// Deletes all before `offset` in the first partition of the topic.
fn delete_before(log: &Published, offset: u64) {
    let room = tempfile::tempdir().unwrap();
    let file = room.path().join("offsets.json");
    let partition = format!("{{\"topic\":\"{}counter\",\"partition\":0,\"offset\":{offset}}}", log.prefix);
    std::fs::write(&file, format!("{{\"partitions\":[{partition}],\"version\":1}}")).unwrap();
    let broker = log.kafka.trim_start_matches("kafka://");
    let arguments = ["--bootstrap-server", broker, "--offset-json-file", file.to_str().unwrap()];
    KafkaTool::find().unwrap().run("org.apache.kafka.tools.DeleteRecordsCommand", &arguments).unwrap();
}

/// How it was broken: without the look at its checkpoint (`Reading::begin`), it stands still for a minute first.
#[tokio::test(flavor = "multi_thread")]
async fn read_models_of_a_log_are_left_alone() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    log.publish("--create-topics 1");
    log.shop.drain().await;
    let before = log.shop.json("query totals").await;
    let (_, done) = log.shop.run(&line(&log, "")).await;
    assert_told(&done.unwrap_err(), Exit::Failed, "totals", "a log fills it there", "--read-models");
    assert_eq!(log.shop.json("query totals").await, before);
}

#[tokio::test]
async fn a_cluster_that_is_not_there_is_told_of_without_secrets() {
    let log = Published::at("kafka://shop:hunter2@127.0.0.1:1".into(), "reporting".into()).await;
    let (_, done) = log.shop.run(&line(&log, "")).await;
    let error = done.unwrap_err();
    assert_told(&error, Exit::Failed, "consume", "kafka://shop@127.0.0.1:1", "see that the broker runs");
    assert!(!error.to_string().contains("hunter2"), "{error}");
}

#[tokio::test]
async fn what_makes_no_sense_is_wrong_usage() {
    let consume = "consume --from kafka://127.0.0.1:1 --group reporting";
    for line in [
        "consume",
        "consume --from kafka://127.0.0.1:1",
        "consume --group reporting",
        "consume --from kafka://127.0.0.1:1 --group a/b",
        &format!("{consume} --topic order"),
        &format!("{consume} --create-topics 0"),
        &format!("{consume} --pass-over totals"),
    ] {
        assert_eq!(parse(line).err().map(|error| error.exit_code()), Some(2), "{line}");
    }
    let (place, other) = ("--read-models sqlite:/nowhere/views.db", "consume --group reporting --from");
    for (line, thing, reason, next) in [
        (format!("{consume} {place} sales"), "sales", "no such read model", "name one of: totals"),
        (
            format!("{other} kafka://shop:hunter2@x {place}"),
            "--from kafka://shop:***@x",
            "has no port",
            "write it as",
        ),
        (format!("{consume} {place} --topic-prefix a/b"), "--topic-prefix", "names no topic", ""),
        (consume.into(), "--read-models", "must be said", "--read-models sqlite:reporting.db"),
        (format!("{consume} --read-models memory:"), "--read-models", "in memory", "sqlite:reporting.db"),
    ] {
        let program = parse(&line).unwrap();
        let done = operations::run(&service(Totals::default()), &program.global, program.operation).await;
        let error = done.unwrap_err();
        let told = told(&error);
        assert_eq!((error.exit(), &told["thing"]), (Exit::Usage, &thing.into()), "{line}: {told}");
        assert!(told["reason"].as_str().unwrap().contains(reason), "{line}: {told}");
        assert!(told["next"].as_str().unwrap_or_default().contains(next), "{line}: {told}");
    }
}

/// A read model with tables of its own, of which nobody here need know.
fn tables() -> Registered {
    Registered::custom("tables", 1, |store, documents, _| {
        Box::new(Projector::new(Totals::default(), store, documents))
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn what_only_a_log_fills_is_refused_by_name_and_left_out_else() {
    let Some(log) = Published::new().await else { return };
    log.shop.raise("a", 1).await;
    log.publish("--create-topics 1");
    let reading = Reading::of(&log, "counter");
    let mut shop = service_of(&reading);
    shop.service = shop.service.projections_of([tables()]);
    let (_, done) = shop.run(&line(&log, "tables totals")).await;
    assert_told(&done.unwrap_err(), Exit::Usage, "tables", "only a log fills", "leave it out");
    let done = shop.json(&line(&log, "")).await;
    assert_eq!((done.len(), &done[0]["name"]), (1, &Totals::NAME.into()), "{done:?}");
    // A program without a domain has none.
    let ran = log.run(&line(&log, "--read-models sqlite:views.db"));
    assert!(ran.code == Some(2) && ran.said.contains("no read model that topics can fill"), "{ran:?}");
}

//! `--publish` of `demo` and `import`, on a real broker, and what Kafka's own consumer sees.
//!
//! Needs one, which `cargo xtask test` starts; without it each test says that it is skipped.

use crate::program::{Program, numbers, only};
use annals_services::{KafkaTool, not_run, this_test};
use serde_json::{Value, json};

/// Names the broker; `cargo xtask test` sets it, and `cargo xtask up` prints it.
const URL: &str = "ANNALS_KAFKA_URL";

const SMALL: [&str; 7] = ["demo", "--orders", "40", "--skus", "3", "--writers", "8"];

const INVOICES: &str = "\
InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country
1,85123A,HEART,6,2010-12-01T08:26:00Z,2.55,17850,United Kingdom
2,71053,LANTERN,1,2010-12-02T09:00:00Z,0,,France
C3,85123A,HEART,-3,2010-12-02T10:00:00Z,2.55,17850,United Kingdom
";

pub(crate) fn kafka() -> Option<String> {
    let url = std::env::var(URL).ok();
    if url.is_none() {
        not_run(&this_test(), format!("{URL} is not set; run cargo xtask test, or cargo xtask up"));
    }
    url
}

fn published(program: &Program, command: &[&str], kafka: &str) -> Value {
    only(program.json(command.iter().copied().chain(["--publish", kafka])))
}

/// How many lines Kafka's own console consumer prints of `topic`.
fn seen_by_console(kafka: &str, topic: &str) -> usize {
    let consumer = "org.apache.kafka.tools.consumer.ConsoleConsumer";
    let arguments = [
        "--bootstrap-server",
        kafka.trim_start_matches("kafka://"),
        "--topic",
        topic,
        "--from-beginning",
        "--isolation-level",
        "read_committed",
        "--timeout-ms",
        "10000",
    ];
    let printed = KafkaTool::find().unwrap().run(consumer, &arguments).unwrap();
    let is_event = |line: &&str| serde_json::from_str::<Value>(line).is_ok_and(|value| value.is_object());
    printed.lines().filter(is_event).count()
}

#[test]
fn a_demo_is_published_and_read_back_and_again_on_the_same_broker() {
    let Some(kafka) = kafka() else { return };
    let program = Program::new();
    let first = published(&program, &SMALL, &kafka);
    let proof = &first["published"];
    assert_eq!(
        (&proof["holds"], &proof["records"], &proof["events"]),
        (&json!(true), &first["events"], &first["events"])
    );
    let topics = proof["topics"].as_object().unwrap();
    assert_eq!(topics.len(), 2, "{proof}");
    for (name, topic) in topics {
        assert!(name.starts_with(proof["topic_prefix"].as_str().unwrap()), "{name}");
        let [records, events, partitions, streams] =
            numbers(topic, ["records", "events", "partitions", "streams"]);
        assert!(records == events && records >= streams && streams > 0 && partitions == 4, "{topic}");
    }
    let (name, topic) = topics.iter().min_by_key(|(_, topic)| topic["records"].as_u64()).unwrap();
    assert_eq!(seen_by_console(&kafka, name) as u64, numbers(topic, ["records"])[0]);

    let again = published(&program, &SMALL, &kafka);
    assert_eq!(again["published"], first["published"], "the same log goes on where it was");
    let other = published(&Program::new(), &SMALL, &kafka);
    assert_eq!(other["published"]["holds"], true);
    assert_ne!(other["published"]["topic_prefix"], first["published"]["topic_prefix"]);

    let publishers =
        || program.json(["lag", "--kafka", &kafka]).into_iter().filter(|it| it["kind"] == "publisher");
    let lag = only(publishers().collect());
    assert_eq!(
        (&lag["name"], &lag["events_behind"], &lag["holder"]),
        (&proof["name"], &json!(0), &json!(null))
    );
    assert_eq!((&lag["kafka"]["uncommitted"], &lag["kafka"]["position"]), (&json!(0), &first["events"]));

    // Control: what another publisher adds to the same topics is found, and the demo fails for it.
    let prefix = proof["topic_prefix"].as_str().unwrap();
    // By a name of its own: one that the cluster knows would go on where that has come to.
    let intruder = format!("intruder-{}", prefix.trim_matches(|c: char| !c.is_ascii_digit()));
    let intruding = ["publish", "--to", &kafka, "--name", &intruder, "--topic-prefix", prefix];
    assert_eq!(only(program.json(intruding))["records"], first["events"]);
    let ran = program.run(SMALL.into_iter().chain(["--publish", &kafka]));
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stdout.contains("NOT each once and in order"), "{}", ran.stdout);
    assert!(ran.stderr.contains("a consumer does not find each event once and in order"), "{}", ran.stderr);
}

#[test]
fn what_is_printed_tells_how_to_go_on() {
    let Some(kafka) = kafka() else { return };
    let program = Program::new();
    let ran = program.run(SMALL.into_iter().chain(["--publish", &kafka]));
    assert_eq!(ran.code, Some(0), "{ran:?}");
    assert!(ran.stdout.contains("each once and in order"), "{}", ran.stdout);
    assert!(ran.stderr.contains("kafka-console-consumer.sh --bootstrap-server 127.0.0.1:"), "{}", ran.stderr);
    let advised = ran.stderr.lines().find(|line| line.contains("northwind publish")).unwrap();
    let words = advised.split_whitespace().skip(1).filter(|word| *word != "--follow");
    assert_eq!(only(program.json(words))["records"], 0, "{advised}");
}

#[test]
fn an_import_is_published_and_once_only() {
    let Some(kafka) = kafka() else { return };
    let program = Program::new();
    program.write("invoices.csv", INVOICES);
    let first = published(&program, &["import", "invoices.csv"], &kafka);
    let proof = &first["published"];
    assert_eq!((&proof["holds"], &proof["records"]), (&json!(true), &first["events"]), "{first}");
    let kinds: Vec<_> =
        proof["topics"].as_object().unwrap().keys().map(|it| it.rsplit('.').next().unwrap()).collect();
    assert_eq!(kinds, ["order", "return", "stock"]);
    assert_eq!(published(&program, &["import", "invoices.csv"], &kafka)["published"], *proof);
}

#[test]
fn a_cluster_that_is_not_there_is_told_of_before_anything_is_begun() {
    let program = Program::new();
    program.write("invoices.csv", INVOICES);
    for command in [&SMALL[..], &["import", "invoices.csv"]] {
        let url = "kafka://shop:hunter2@127.0.0.1:1?security=sasl_plaintext";
        let ran = program.run(command.iter().copied().chain(["--publish", url]));
        assert_eq!((ran.code, &*ran.stdout), (Some(1), ""), "{ran:?}");
        assert!(ran.stderr.contains("next: see that the broker runs"), "{}", ran.stderr);
        assert!(ran.stderr.contains("kafka://shop@127.0.0.1:1") && !ran.stderr.contains("hunter2"));

        let ran = program.run(command.iter().copied().chain(["--publish", "kafka://shop:hunter2@x"]));
        assert_eq!((ran.code, &*ran.stdout), (Some(2), ""), "{ran:?}");
        assert!(
            ran.stderr.contains("broker x has no port") && !ran.stderr.contains("hunter2"),
            "{}",
            ran.stderr
        );
    }
    assert_eq!(program.files(), ["invoices.csv"]);
}

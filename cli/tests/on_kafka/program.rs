//! A log in a file, and the program that publishes it under names of its own.

use crate::counters::{Shop, Totals, objects, service};
use annals_cli::{Access, Global, Stores};
use annals_kafka::{KafkaOptions, Proof};
use annals_services::{KafkaTool, not_run, this_test};
use serde_json::Value;
use std::{
    process::{Command, Output, Stdio},
    sync::atomic::{AtomicU32, Ordering},
    time::{Duration, SystemTime},
};
use tempfile::TempDir;

/// Names the broker; `cargo xtask test` sets it, and `cargo xtask up` prints it.
const URL: &str = "ANNALS_KAFKA_URL";

/// A test that waits longer than this for a record waits in vain.
pub(crate) const PATIENCE: Duration = Duration::from_secs(60);

/// How often it is looked whether it is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// A log, and what is needed to publish it.
pub(crate) struct Published {
    directory: TempDir,
    pub(crate) kafka: String,
    /// Of the publisher.
    pub(crate) name: String,
    /// Of its topics.
    pub(crate) prefix: String,
    pub(crate) shop: Shop,
}

/// What a run has left.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) printed: String,
    pub(crate) said: String,
    pub(crate) code: Option<i32>,
}

impl Published {
    /// A new log; none without a broker, which is said out loud.
    pub(crate) async fn new() -> Option<Self> {
        static MADE: AtomicU32 = AtomicU32::new(0);
        let Ok(kafka) = std::env::var(URL) else {
            not_run(&this_test(), format!("{URL} is not set; run cargo xtask test, or cargo xtask up"));
            return None;
        };
        let now = SystemTime::UNIX_EPOCH.elapsed().unwrap().as_micros();
        let name = format!("cli-{}-{now}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        Some(Self::at(kafka, name).await)
    }

    /// A new log, wherever it is published.
    pub(crate) async fn at(kafka: String, name: String) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = Some(store(&directory).into());
        let global = Global { store, ..Global::default() };
        let stores = Stores::open(&service(Totals::default()), &global, Access::Create).await.unwrap();
        let prefix = format!("{name}.");
        Self { directory, kafka, name, prefix, shop: Shop::on(stores) }
    }

    /// The program with `line` and the log.
    pub(crate) fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annals"));
        let store = store(&self.directory);
        command.args(line.split_whitespace()).args(["--store", &store, "--json"]).stdin(Stdio::null());
        command
    }

    pub(crate) fn run(&self, line: &str) -> Ran {
        Ran::of(self.command(line).output().unwrap())
    }

    /// `publish` to the topics of this log, with `more`.
    pub(crate) fn line(&self, more: &str) -> String {
        let Self { kafka, name, prefix, .. } = self;
        format!("publish --to {kafka} --name {name} --topic-prefix {prefix} {more}")
    }

    /// Publishes, which must succeed; what was printed.
    pub(crate) fn publish(&self, more: &str) -> Value {
        self.run(&self.line(more)).only()
    }

    /// What a consumer finds in the topics of `categories`.
    pub(crate) async fn proof(&self, categories: &[&str]) -> Proof {
        let topics = categories.iter().map(|category| format!("{}{category}", self.prefix));
        Proof::read(&self.options(), topics.collect()).await.unwrap()
    }

    /// The same, when there are `records`.
    pub(crate) async fn proof_of(&self, categories: &[&str], records: u64) -> Proof {
        let looking = async {
            loop {
                let topics = categories.iter().map(|category| format!("{}{category}", self.prefix));
                if let Ok(proof) = Proof::read(&self.options(), topics.collect()).await
                    && proof.records() >= records
                {
                    return proof;
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap()
    }

    /// Kafka's own tool for topics, on the broker of this log.
    pub(crate) fn topics(&self, arguments: &[&str]) {
        let broker = self.kafka.trim_start_matches("kafka://");
        KafkaTool::find().unwrap().topics(broker, arguments).unwrap();
    }

    fn options(&self) -> KafkaOptions {
        self.kafka.parse().unwrap()
    }
}

impl Ran {
    pub(crate) fn of(done: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { printed: text(done.stdout), said: text(done.stderr), code: done.status.code() }
    }

    /// The only object that was printed by a run that succeeded.
    pub(crate) fn only(&self) -> Value {
        assert_eq!((self.code, &*self.said), (Some(0), ""), "{self:?}");
        let mut objects = objects(&self.printed);
        assert_eq!(objects.len(), 1, "{self:?}");
        objects.remove(0)
    }
}

fn store(directory: &TempDir) -> String {
    format!("sqlite:{}", directory.path().join("log.db").display())
}

//! Another service: it has a store of documents, no log, and a consumer that fills `totals` from a topic.

use crate::{
    counters::Totals,
    program::{PATIENCE, Published, Ran},
};
use annals::{DocumentStore, LeaseTerms, PageLimit, Parked};
use annals_kafka::{Consumer, ConsumerTerms, Handler};
use annals_sqlite::SqliteDocuments;
use std::{
    process::{Command, Stdio},
    sync::Arc,
    time::Duration,
};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::{CancellationToken, DropGuard};

/// How often it is looked whether what is awaited is there.
const LOOK_INTERVAL: Duration = Duration::from_millis(50);

/// The read models of a service that has no log.
pub(crate) struct Reading {
    directory: TempDir,
    pub(crate) documents: Arc<SqliteDocuments>,
    pub(crate) group: String,
    pub(crate) totals: Totals,
    topic: String,
    kafka: String,
}

/// A consumer at work; stopped when it is dropped.
pub(crate) struct Consuming {
    stop: Option<DropGuard>,
    task: JoinHandle<()>,
}

impl Consuming {
    pub(crate) async fn stop(mut self) {
        self.stop.take();
        self.task.await.unwrap();
    }
}

impl Reading {
    /// One that reads what `log` publishes of `category`.
    pub(crate) fn of(log: &Published, category: &str) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let documents = Arc::new(SqliteDocuments::open(directory.path().join("views.db")).unwrap());
        let (group, topic) = (format!("{}-reading", log.name), format!("{}{category}", log.prefix));
        Self { directory, documents, group, totals: Totals::default(), topic, kafka: log.kafka.clone() }
    }

    /// A copy of the read models as they are, while nobody writes them.
    pub(crate) fn copy(&self) -> Self {
        let directory = tempfile::tempdir().unwrap();
        for file in std::fs::read_dir(self.directory.path()).unwrap() {
            let file = file.unwrap();
            std::fs::copy(file.path(), directory.path().join(file.file_name())).unwrap();
        }
        let documents = Arc::new(SqliteDocuments::open(directory.path().join("views.db")).unwrap());
        let (group, totals) = (self.group.clone(), self.totals.clone());
        Self { directory, documents, group, totals, topic: self.topic.clone(), kafka: self.kafka.clone() }
    }

    pub(crate) fn run(&self) -> Consuming {
        let lease = LeaseTerms { lasts: Duration::from_secs(5), ..LeaseTerms::default() };
        let terms = ConsumerTerms { lease, ..ConsumerTerms::default() };
        let handler = Handler::projection(self.totals.clone(), self.documents.clone());
        let options = self.kafka.parse().unwrap();
        let consumer = Consumer::new(&self.group, options, [self.topic.clone()], handler, terms);
        let stop = CancellationToken::new();
        let ending = stop.clone();
        let task = tokio::spawn(async move { consumer.run(ending).await.unwrap() });
        Consuming { stop: Some(stop.drop_guard()), task }
    }

    /// The program with `line`, where the read models are and no log is.
    fn command(&self, line: &str) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_annals"));
        let views = format!("sqlite:{}", self.directory.path().join("views.db").display());
        command.current_dir(self.directory.path()).args(line.split_whitespace());
        command.args(["--read-models", &views]).stdin(Stdio::null());
        command
    }

    pub(crate) fn run_line(&self, line: &str) -> Ran {
        Ran::of(self.command(line).arg("--json").output().unwrap())
    }

    /// What it prints for people.
    pub(crate) fn text(&self, line: &str) -> String {
        Ran::of(self.command(line).output().unwrap()).printed
    }

    /// Waits until so many events are parked.
    pub(crate) async fn until_parked(&self, count: usize) {
        let looking = async {
            while self.parked().await.len() != count {
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap();
    }

    async fn parked(&self) -> Vec<Parked> {
        let Some((live, _)) = self.documents.live("totals").await.unwrap() else { return vec![] };
        self.documents.parked(&live, None, None, PageLimit::MAX).await.unwrap()
    }

    /// The document of `key`, once it counts so many raises.
    pub(crate) async fn until_raised(&self, key: &str, raises: u64) -> serde_json::Value {
        let looking = async {
            loop {
                if let Some(document) = self.document(key).await
                    && document["raises"] == raises
                {
                    return document;
                }
                tokio::time::sleep(LOOK_INTERVAL).await;
            }
        };
        tokio::time::timeout(PATIENCE, looking).await.unwrap()
    }

    /// How many raises the document of `key` counts.
    pub(crate) async fn raises(&self, key: &str) -> u64 {
        self.document(key).await.map_or(0, |document| document["raises"].as_u64().unwrap())
    }

    pub(crate) async fn document(&self, key: &str) -> Option<serde_json::Value> {
        let (live, _) = self.documents.live("totals").await.unwrap()?;
        let slots = self.documents.load(&live, &[key.into()]).await.unwrap();
        slots.into_iter().next().unwrap().document.map(|document| document.read().unwrap())
    }
}

//! A broker of the benchmark's own, on the disk that holds the build directory.

use annals_benches::Medium;
use annals_kafka::KafkaOptions;
use annals_services::{KafkaBroker, KafkaTool, OwnBroker};
use anyhow::Context;
use std::{cell::Cell, fs, path::Path};
use tempfile::TempDir;

/// How many partitions a topic has.
pub(crate) const PARTITIONS: u32 = 8;

/// The only category of the events.
pub(crate) const CATEGORY: &str = "parcel";

/// A deleted topic is gone at once, so that its turn does not fill the disk.
const SETTINGS: [&str; 1] = ["log.segment.delete.delay.ms=1"];

/// A broker that runs until this is dropped.
pub(crate) struct Broker {
    broker: OwnBroker,
    pub(crate) tool: KafkaTool,
    names: Cell<u32>,
    _room: TempDir,
}

impl Broker {
    pub(crate) fn start() -> anyhow::Result<Self> {
        let room = Medium::disk()?.room()?;
        let tool = KafkaTool::find_or_install()?;
        let broker = KafkaBroker::at(room.path().join("broker"), true)?.for_measuring();
        let broker = OwnBroker::of(broker)?;
        broker.start(&SETTINGS)?;
        Ok(Self { broker, tool, names: Cell::new(0), _room: room })
    }

    /// Kills it, as `kill -9` does.
    pub(crate) fn kill(&self) -> anyhow::Result<()> {
        self.broker.kill()
    }

    /// Starts it on what it had.
    pub(crate) fn start_again(&self) -> anyhow::Result<()> {
        self.broker.start(&SETTINGS)
    }

    pub(crate) fn url(&self) -> String {
        self.broker.url()
    }

    pub(crate) fn bootstrap(&self) -> String {
        self.broker.bootstrap()
    }

    pub(crate) fn options(&self) -> anyhow::Result<KafkaOptions> {
        Ok(self.broker.url().parse()?)
    }

    /// A name that nothing else has.
    pub(crate) fn name(&self, what: &str) -> String {
        self.names.set(self.names.get() + 1);
        format!("{what}-{}", self.names.get())
    }

    pub(crate) fn make_topic(&self, topic: &str) -> anyhow::Result<()> {
        let partitions = PARTITIONS.to_string();
        self.topic_command(&["--create", "--topic", topic, "--partitions", &partitions])
    }

    pub(crate) fn remove_topic(&self, topic: &str) -> anyhow::Result<()> {
        self.topic_command(&["--delete", "--topic", topic])
    }

    fn topic_command(&self, what: &[&str]) -> anyhow::Result<()> {
        self.tool.topics(&self.bootstrap(), what).map(drop)
    }

    /// The bytes a record of `topic`, which holds so many; removes it.
    pub(crate) fn bytes_a_record(&self, topic: &str, records: u64) -> anyhow::Result<f64> {
        let bytes = self.bytes_of(topic)? as f64 / records as f64;
        self.remove_topic(topic)?;
        Ok(bytes)
    }

    /// How many bytes the log of `topic` has, in all its partitions.
    fn bytes_of(&self, topic: &str) -> anyhow::Result<u64> {
        let data = self.broker.broker().data();
        let mut bytes = 0;
        for partition in fs::read_dir(data).context("cannot read the data of the broker")? {
            let partition = partition?.path();
            let name = partition.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.rsplit_once('-').is_some_and(|(of, number)| of == topic && number.parse::<u32>().is_ok())
            {
                bytes += log_bytes(&partition)?;
            }
        }
        Ok(bytes)
    }
}

fn log_bytes(partition: &Path) -> anyhow::Result<u64> {
    let mut bytes = 0;
    for file in fs::read_dir(partition)? {
        let file = file?;
        if file.path().extension().is_some_and(|extension| extension == "log") {
            bytes += file.metadata()?.len();
        }
    }
    Ok(bytes)
}

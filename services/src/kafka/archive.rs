//! Loaded classes of a broker, kept beside its jars: with them Java starts it in half the time.

use super::{KafkaBroker, KafkaTool};
use crate::{StopMode, free_port};
use anyhow::Context;
use std::fs;

/// Makes the archive for the Java and the jars of `tool`, if there is none yet, from what a broker loads between its
/// start and its end. That takes a quarter of a minute, once.
pub(super) fn make(tool: &KafkaTool) -> anyhow::Result<()> {
    let wanted = tool.archive();
    if wanted.is_file() {
        return Ok(());
    }
    eprintln!("starting Apache Kafka once, so that it starts sooner from now on");
    let directory = wanted.with_extension(format!("partial-{}", std::process::id()));
    let partial = directory.join("classes.jsa");
    let broker = KafkaBroker::with(tool.clone(), directory).ending_with_us();
    let record = || {
        broker.make()?;
        broker.start_java(
            &[&format!("-XX:ArchiveClassesAtExit={}", partial.display())],
            free_port()?,
            &[],
        )?;
        broker.stop(StopMode::Fast)?;
        fs::rename(&partial, &wanted).context("Java wrote no archive")
    };
    let recorded = record();
    broker.remove()?;
    recorded
}

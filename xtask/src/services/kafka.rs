//! The Kafka broker of tests, which share it: each makes topics of its own.

use std::path::{Path, PathBuf};

use super::state::{State, Stay};
use annals_services::{KafkaBroker, StopMode, free_port};

pub(crate) use annals_services::kafka_finding;

/// A broker that runs.
pub(super) struct Kafka {
    broker: KafkaBroker,
    port: u16,
    ends_with_us: bool,
}

impl Kafka {
    /// Starts a new broker, or takes the one that `up` left running. One that a killed run left is ended first.
    pub(super) fn start(target: &Path, stay: Stay) -> anyhow::Result<Self> {
        let broker = KafkaBroker::at(directory(target), true)?;
        if let Some(state) = State::read(broker.directory()) {
            if state.until_down && broker.runs()? {
                return Ok(Self { broker, port: state.port, ends_with_us: false });
            }
            state.refuse_if_in_use()?;
            broker.stop(StopMode::Immediate)?;
        }
        let ends_with_us = stay == Stay::UntilDropped;
        let broker = if ends_with_us { broker.ending_with_us() } else { broker };
        broker.make()?;
        let port = free_port()?;
        State::new(port, stay == Stay::UntilDown).write(broker.directory())?;
        let kafka = Self { broker, port, ends_with_us };
        kafka.broker.start(port, &[])?;
        Ok(kafka)
    }

    /// Ends the broker that runs there, whoever started it; false when there is none.
    pub(super) fn stop_left(target: &Path) -> anyhow::Result<bool> {
        // First what was written down: without Java there may still be none to stop.
        let Some(state) = State::read(&directory(target)) else { return Ok(false) };
        state.refuse_if_in_use()?;
        KafkaBroker::at(directory(target), false)?.remove()?;
        Ok(true)
    }

    /// Where it is reached.
    pub(super) fn url(&self) -> String {
        KafkaBroker::url(self.port)
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        if self.ends_with_us
            && let Err(error) = self.broker.remove()
        {
            eprintln!("error: the broker was not stopped: {error:#}; end it with: cargo xtask down");
        }
    }
}

/// Beside its jars, which stay.
fn directory(target: &Path) -> PathBuf {
    target.join("services").join("kafka").join("broker")
}

#[cfg(test)]
mod tests;

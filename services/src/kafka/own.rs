//! A broker that somebody has for himself: to set it otherwise, to kill it and start it anew, and gone when it is
//! dropped.

use super::KafkaBroker;
use crate::{StopMode, free_port};
use std::path::Path;

/// A broker that ends, and takes its files with it, when this is dropped. It ends too, but its files stay, when this
/// process is killed.
#[derive(Debug)]
pub struct OwnBroker {
    broker: KafkaBroker,
    port: u16,
}

impl OwnBroker {
    /// A new one that does not run yet, in a directory below `wanted`. `name` tells it apart from others of this
    /// process.
    ///
    /// # Errors
    /// When Java or the jars are lacking, or it cannot be made.
    pub fn make(wanted: &Path, name: &str) -> anyhow::Result<Self> {
        let directory = wanted.join(format!("{name}-{}", std::process::id()));
        Self::of(KafkaBroker::at(directory, false)?)
    }

    /// A new one, in place of what lies in the directory of `broker`, that does not run yet: for one with logins, or
    /// with data elsewhere.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn of(broker: KafkaBroker) -> anyhow::Result<Self> {
        let own = Self { broker: broker.ending_with_us(), port: free_port()? };
        own.broker.make()?;
        Ok(own)
    }

    /// Starts it with `settings`, each `name=value`, besides those it always has; stops it first if it runs. Its data
    /// and its port stay the same.
    ///
    /// # Errors
    /// What it says when it does not stop or start.
    pub fn start(&self, settings: &[&str]) -> anyhow::Result<()> {
        self.stop()?;
        self.broker.start(self.port, settings)
    }

    /// Stops it if it runs; it has time to write everything down.
    ///
    /// # Errors
    /// When it does not stop.
    pub fn stop(&self) -> anyhow::Result<()> {
        self.broker.stop(StopMode::Fast)
    }

    /// Kills it, as `kill -9` does, and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be killed.
    pub fn kill(&self) -> anyhow::Result<()> {
        self.broker.stop(StopMode::Immediate)
    }

    /// Where it listens without a password, as clients want it: `127.0.0.1:PORT`.
    pub fn bootstrap(&self) -> String {
        KafkaBroker::bootstrap(self.port)
    }

    /// The same as the URL that tests are given: `kafka://127.0.0.1:PORT`.
    pub fn url(&self) -> String {
        KafkaBroker::url(self.port)
    }

    /// The port of [`OwnBroker::bootstrap`].
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The broker: where its files are, and whether it runs.
    pub fn broker(&self) -> &KafkaBroker {
        &self.broker
    }
}

impl Drop for OwnBroker {
    fn drop(&mut self) {
        if let Err(error) = self.broker.remove() {
            eprintln!(
                "error: a broker was not stopped: {error:#}; it lies in {}",
                self.broker.directory().display()
            );
        }
    }
}

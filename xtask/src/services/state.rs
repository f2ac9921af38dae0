//! What is written down about a running server, so that a later run can find it.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail};
use serde::{Deserialize, Serialize};

/// How long a server is to run.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Stay {
    /// Until the value is dropped; if this process is killed before, the next run ends it.
    UntilDropped,
    /// Until `cargo xtask down`.
    UntilDown,
}

#[derive(Debug, Serialize, Deserialize)]
pub(super) struct State {
    pub(super) port: u16,
    /// It is to run until `cargo xtask down`.
    pub(super) until_down: bool,
    /// The process that started it.
    owner: u32,
}

const FILE: &str = "annals.json";

impl State {
    pub(super) fn new(port: u16, until_down: bool) -> Self {
        Self { port, until_down, owner: std::process::id() }
    }

    /// What was written there; `None` when nothing readable was.
    pub(super) fn read(directory: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(directory.join(FILE)).ok()?).ok()
    }

    pub(super) fn write(&self, directory: &Path) -> anyhow::Result<()> {
        fs::write(directory.join(FILE), serde_json::to_vec(self)?)
            .context("cannot write down what was started")
    }

    /// An error when another run of ours, which is still going on, needs the server.
    pub(super) fn refuse_if_in_use(&self) -> anyhow::Result<()> {
        if !self.until_down && self.owner != std::process::id() && is_ours(self.owner) {
            bail!("process {} is using it: wait until that ends, or end that process", self.owner);
        }
        Ok(())
    }
}

/// Whether the process lives and is one of these commands, not another one with a number used again.
fn is_ours(process: u32) -> bool {
    let name = fs::read_to_string(format!("/proc/{process}/comm")).unwrap_or_default();
    name.trim() == "xtask"
}

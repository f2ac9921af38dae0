//! The part of `deny.toml` that is checked without cargo-deny. The file belongs to cargo-deny; this only reads it.

use anyhow::Context;
use serde::Deserialize;

use crate::workspace::Workspace;

#[derive(Deserialize)]
pub(crate) struct DenyToml {
    pub(crate) licenses: Licenses,
    pub(crate) bans: Bans,
    pub(crate) sources: Sources,
}

#[derive(Deserialize)]
pub(crate) struct Licenses {
    /// Of all crates.
    pub(crate) allow: Vec<String>,
    #[serde(default)]
    pub(crate) exceptions: Vec<Exception>,
}

/// What one crate may have besides.
#[derive(Deserialize)]
pub(crate) struct Exception {
    #[serde(rename = "crate")]
    pub(crate) name: String,
    pub(crate) allow: Vec<String>,
}

#[derive(Deserialize)]
pub(crate) struct Bans {
    #[serde(rename = "multiple-versions")]
    pub(crate) multiple_versions: Level,
    #[serde(default)]
    pub(crate) deny: Vec<Ban>,
}

#[derive(Deserialize)]
pub(crate) struct Ban {
    #[serde(rename = "crate")]
    pub(crate) name: String,
    pub(crate) reason: String,
    /// Who may depend on it all the same.
    #[serde(default)]
    pub(crate) wrappers: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) struct Sources {
    pub(crate) unknown_registry: Level,
    pub(crate) unknown_git: Level,
    #[serde(default)]
    pub(crate) allow_registry: Vec<String>,
    #[serde(default)]
    pub(crate) allow_git: Vec<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Allow,
    Warn,
    Deny,
}

impl DenyToml {
    pub(crate) fn load(workspace: &Workspace) -> anyhow::Result<Self> {
        let text =
            std::fs::read_to_string(workspace.root.join("deny.toml")).context("cannot read deny.toml")?;
        Self::parse(&text)
    }

    pub(crate) fn parse(text: &str) -> anyhow::Result<Self> {
        toml::from_str(text).context("deny.toml has a form that xtask/src/deny_toml.rs cannot read")
    }
}

//! The workspace as cargo and git see it: its root, its packages, its files.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, bail};
use serde::Deserialize;

/// What the steps look at.
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    pub(crate) packages: Vec<Package>,
    /// What the programs that cargo starts find in their environment.
    pub(crate) environment: Vec<(&'static str, String)>,
}

/// A package in the resolved graph: a member of the workspace, or something that one depends on.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Package {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) license: Option<String>,
    /// A file with its text, in place of its name.
    pub(crate) license_file: Option<PathBuf>,
    pub(crate) manifest_path: PathBuf,
    /// Where it comes from; members have none.
    pub(crate) source: Option<String>,
    pub(crate) dependencies: Vec<Dependency>,
    pub(crate) targets: Vec<Target>,
}

/// A dependency as a manifest states it.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Dependency {
    pub(crate) name: String,
    /// None for a normal one, else `dev` or `build`.
    pub(crate) kind: Option<String>,
    /// There only when a feature asks for it.
    #[serde(default)]
    pub(crate) optional: bool,
}

#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    pub(crate) name: String,
    pub(crate) kind: Vec<String>,
}

/// A text file of the repository.
pub(crate) struct SourceFile {
    /// Relative to the root.
    pub(crate) path: String,
    pub(crate) text: String,
}

impl Workspace {
    /// Reads the workspace around this program. Fails when the lock file does not fit the manifests.
    pub(crate) fn load() -> anyhow::Result<Self> {
        #[derive(Deserialize)]
        struct Metadata {
            packages: Vec<Package>,
            workspace_root: PathBuf,
        }
        // Asked at run time: worktrees may share a target directory, and with it a compiled xtask.
        let here = std::env::var_os("CARGO_MANIFEST_DIR").context("run this as `cargo xtask …`")?;
        let answer = Command::new(cargo())
            .args(["metadata", "--format-version", "1", "--all-features", "--locked"])
            .current_dir(&here)
            .stdin(Stdio::null())
            .stderr(Stdio::inherit())
            .output()
            .context("cannot run cargo")?;
        if !answer.status.success() {
            bail!(
                "`cargo metadata --locked` failed; if Cargo.lock is out of date, run `cargo check` and commit it"
            );
        }
        let metadata: Metadata =
            serde_json::from_slice(&answer.stdout).context("cannot read cargo metadata")?;
        Ok(Self { root: metadata.workspace_root, packages: metadata.packages, environment: vec![] })
    }

    /// Our own packages.
    pub(crate) fn members(&self) -> impl Iterator<Item = &Package> {
        self.packages.iter().filter(|package| package.source.is_none())
    }

    /// Every text file that is or could be committed. Binary files are left out.
    pub(crate) fn files(&self) -> anyhow::Result<Vec<SourceFile>> {
        let mut files = Vec::new();
        for path in self.file_names()? {
            let full = self.root.join(&path);
            // A deleted file is still listed until its deletion is committed.
            if !full.is_file() {
                continue;
            }
            let bytes = std::fs::read(&full).with_context(|| format!("cannot read {path}"))?;
            if let Ok(text) = String::from_utf8(bytes) {
                files.push(SourceFile { path, text });
            }
        }
        Ok(files)
    }

    fn file_names(&self) -> anyhow::Result<Vec<String>> {
        let listed = Command::new("git")
            .args(["ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .output()
            .context("cannot run git, which lists the files to check")?;
        if !listed.status.success() {
            bail!("git cannot list the files: {}", String::from_utf8_lossy(&listed.stderr).trim());
        }
        let names = String::from_utf8(listed.stdout).context("a file name is not UTF-8")?;
        Ok(names.split_terminator('\0').map(str::to_owned).collect())
    }

    /// A cargo command at the root, with plain output and no input.
    pub(crate) fn cargo(&self, args: &[&str]) -> Command {
        let mut command = Command::new(cargo());
        command.args(args).current_dir(&self.root).env("CARGO_TERM_COLOR", "never");
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        command
    }
}

/// The cargo that started us, so that `cargo +toolchain xtask` stays with its toolchain.
pub(crate) fn cargo() -> PathBuf {
    std::env::var_os("CARGO").map_or_else(|| PathBuf::from("cargo"), PathBuf::from)
}

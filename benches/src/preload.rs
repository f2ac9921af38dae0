//! A small C library that is loaded before the program: makes flushes slower, counts them and the bytes written.

use anyhow::{Context, bail};
use std::{
    fs::Permissions,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

const LD_PRELOAD: &str = "LD_PRELOAD";
const COUNTS: &str = "ANNALS_BENCH_SYNC_COUNTS";
const LONGER_US: &str = "ANNALS_BENCH_SYNC_US";

/// The library, compiled for this run.
#[derive(Debug)]
pub struct Preload {
    room: TempDir,
}

/// What the library has counted so far in this process.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncCounts {
    /// Calls of `fsync` and `fdatasync`.
    pub syncs: u64,
    /// Bytes given to `write` and `pwrite`, to whatever file.
    pub bytes: u64,
}

impl Preload {
    /// Compiles it into `room`, with `CC` or `cc`.
    ///
    /// # Errors
    /// When there is no C compiler, or the system is not Linux.
    pub fn compile(room: TempDir) -> anyhow::Result<Self> {
        if !cfg!(target_os = "linux") {
            bail!("only Linux has LD_PRELOAD");
        }
        let source = room.path().join("preload.c");
        std::fs::write(&source, include_str!("preload.c")).context("cannot write preload.c")?;
        let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
        let mut compile = Command::new(&compiler);
        compile.args(["-O2", "-shared", "-fPIC", "-o"]).arg(library(room.path())).arg(&source).arg("-ldl");
        let name = compiler.to_string_lossy();
        let done = compile.output().with_context(|| format!("cannot run the C compiler {name}"))?;
        if !done.status.success() {
            bail!("{name} refused preload.c: {}", String::from_utf8_lossy(&done.stderr).trim());
        }
        Ok(Self { room })
    }

    /// Lets `command` run with it: each flush takes `longer_us` longer.
    pub fn before(&self, command: &mut Command, longer_us: u64) {
        command.env(LD_PRELOAD, library(self.room.path()));
        command.env(LONGER_US, longer_us.to_string());
        command.env(COUNTS, self.counts_path());
    }
}

impl Preload {
    /// The same for a server of another account, which counts too: variables of its environment.
    ///
    /// # Errors
    /// When that account cannot be given access to the library and the counts.
    pub fn for_server(&self, longer_us: u64) -> anyhow::Result<[(String, String); 3]> {
        let counts = self.counts_path();
        std::fs::write(&counts, [0; 16])
            .and_then(|()| std::fs::set_permissions(&counts, Permissions::from_mode(0o666)))
            .and_then(|()| std::fs::set_permissions(self.room.path(), Permissions::from_mode(0o755)))
            .context("cannot open the counts to the account of the server")?;
        let library = library(self.room.path()).display().to_string();
        let variables = [(LD_PRELOAD, library), (LONGER_US, longer_us.to_string())];
        let [library, longer] = variables.map(|(name, value)| (name.to_owned(), value));
        Ok([library, longer, (COUNTS.into(), counts.display().to_string())])
    }

    /// What all processes that run with it have counted so far.
    pub fn counts(&self) -> Option<SyncCounts> {
        SyncCounts::of(&self.counts_path())
    }

    fn counts_path(&self) -> PathBuf {
        self.room.path().join("counts")
    }
}

impl SyncCounts {
    /// What was counted so far; `None` in a process without the library.
    pub fn now() -> Option<Self> {
        Self::of(Path::new(&std::env::var_os(COUNTS)?))
    }

    fn of(counts: &Path) -> Option<Self> {
        let counts = std::fs::read(counts).ok()?;
        let number = |at: usize| counts.get(at..at + 8)?.try_into().ok().map(u64::from_ne_bytes);
        Some(Self { syncs: number(0)?, bytes: number(8)? })
    }

    /// What was counted since `before`.
    #[must_use]
    pub fn since(self, before: Self) -> Self {
        Self { syncs: self.syncs - before.syncs, bytes: self.bytes - before.bytes }
    }
}

fn library(room: &Path) -> PathBuf {
    room.join("preload.so")
}

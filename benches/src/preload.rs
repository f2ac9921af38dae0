//! A small C library that is loaded before the program: makes flushes slower, counts them and the bytes written.

use anyhow::{Context, bail};
use std::{
    path::{Path, PathBuf},
    process::Command,
};
use tempfile::TempDir;

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
        command.env("LD_PRELOAD", library(self.room.path()));
        command.env(LONGER_US, longer_us.to_string());
        command.env(COUNTS, self.room.path().join("counts"));
    }
}

impl SyncCounts {
    /// What was counted so far; `None` in a process without the library.
    pub fn now() -> Option<Self> {
        let counts = std::fs::read(std::env::var_os(COUNTS)?).ok()?;
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

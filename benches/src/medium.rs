use crate::process::file_system;
use anyhow::Context;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// On what files lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Beside the program: whatever holds the build directory.
    Disk,
    /// In memory.
    Tmpfs,
}

/// Where files of a benchmark lie, and what that is called.
#[derive(Debug, Clone)]
pub struct Medium {
    /// As tables name it.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    base: PathBuf,
}

/// Where Linux has memory that looks like a disk.
const TMPFS: &str = "/dev/shm";

impl Medium {
    /// The disk that holds the build directory.
    ///
    /// # Errors
    /// When the program does not know where it lies.
    pub fn disk() -> anyhow::Result<Self> {
        let program = std::env::current_exe().context("cannot tell where this program lies")?;
        let base = program.parent().map(Path::to_path_buf).context("this program lies nowhere")?;
        Ok(Self { name: "disk".into(), kind: Kind::Disk, base })
    }

    /// Memory; `None` when there is no such file system.
    pub fn tmpfs() -> Option<Self> {
        let base = PathBuf::from(TMPFS);
        let is_there = file_system(&base).as_deref() == Some("tmpfs");
        is_there.then(|| Self { name: "tmpfs".into(), kind: Kind::Tmpfs, base })
    }

    /// Disk and memory, as far as there are both; what is missing is told.
    ///
    /// # Errors
    /// When there is no disk.
    pub fn all(mut missing: impl FnMut(&str, &str)) -> anyhow::Result<Vec<Self>> {
        let disk = Self::disk()?;
        if file_system(&disk.base).as_deref() == Some("tmpfs") {
            missing("disk", "the build directory lies on tmpfs, so these figures are of memory too");
        }
        let tmpfs = Self::tmpfs();
        if tmpfs.is_none() {
            missing("tmpfs", "there is no tmpfs at /dev/shm");
        }
        Ok([Some(disk), tmpfs].into_iter().flatten().collect())
    }

    /// The same place under another name.
    #[must_use]
    pub fn called(self, name: impl Into<String>) -> Self {
        Self { name: name.into(), ..self }
    }

    /// A directory of its own, which goes with what is returned.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn room(&self) -> anyhow::Result<TempDir> {
        let room = tempfile::Builder::new().prefix("annals-bench-").tempdir_in(&self.base);
        room.with_context(|| format!("cannot make a directory in {}", self.base.display()))
    }
}

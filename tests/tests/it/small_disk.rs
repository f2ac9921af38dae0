//! A disk that is really full, or really read-only: a small filesystem in memory.

use annals_services::not_run;
use rustix::{
    io::Errno,
    mount::{MountFlags, UnmountFlags, mount, mount_remount, unmount},
};
use std::{
    fs::File,
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// Unmounted when the story ends, however it ends.
pub(crate) struct SmallDisk {
    dir: TempDir,
}

impl SmallDisk {
    /// A disk of so many MiB; `None`, said aloud, where this user may not mount one.
    pub(crate) fn mount(mebibytes: u32, story: &str) -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let size = std::ffi::CString::new(format!("size={mebibytes}m")).unwrap();
        match mount("annals-story", dir.path(), "tmpfs", MountFlags::empty(), Some(size.as_c_str())) {
            Ok(()) => Some(Self { dir }),
            Err(Errno::PERM | Errno::ACCESS) => {
                not_run(story, "mounting a small disk needs root");
                None
            }
            Err(error) => panic!("a disk of {mebibytes} MiB cannot be mounted: {error}"),
        }
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    /// Takes what room there is left; deleting the file frees it.
    pub(crate) fn fill(&self) -> PathBuf {
        let ballast = self.file("ballast");
        let mut file = File::create(&ballast).unwrap();
        loop {
            match file.write_all(&[1; 4096]) {
                Ok(()) => {}
                Err(error) if error.kind() == ErrorKind::StorageFull => return ballast,
                Err(error) => panic!("{error}"),
            }
        }
    }

    /// Gives it so many MiB.
    pub(crate) fn grow(&self, mebibytes: u32) {
        let size = std::ffi::CString::new(format!("size={mebibytes}m")).unwrap();
        mount_remount(self.dir.path(), MountFlags::empty(), size.as_c_str()).unwrap();
    }

    /// Forbids or allows writing; no file may be open for writing.
    pub(crate) fn read_only(&self, read_only: bool) {
        let flags = if read_only { MountFlags::RDONLY } else { MountFlags::empty() };
        mount_remount(self.dir.path(), flags, "").unwrap();
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Detached: a failed test may still hold files on it.
        if let Err(error) = unmount(self.dir.path(), UnmountFlags::DETACH) {
            // Nothing is lost when nobody reads it.
            let _ = writeln!(std::io::stderr(), "{} is left mounted: {error}", self.dir.path().display());
        }
    }
}

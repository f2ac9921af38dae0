//! Finding the server's programs, or getting them.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;

use crate::account::is_root;
use crate::command::{installed, output};

/// The oldest major version that is supported.
const MAJOR_MIN: u32 = 15;

/// Where Debian and Ubuntu keep the versions beside each other.
const DEBIAN: &str = "/usr/lib/postgresql";

const PROGRAMS: [&str; 3] = ["initdb", "pg_ctl", "postgres"];

/// The package that is lacking, as apt names it.
const PACKAGE: &str = "postgresql";

/// A directory with the programs of a server.
#[derive(Debug)]
pub(super) struct Binaries {
    directory: PathBuf,
}

impl Binaries {
    pub(super) fn path(&self, program: &str) -> PathBuf {
        self.directory.join(program)
    }

    /// The newest that is installed.
    pub(super) fn find() -> anyhow::Result<Self> {
        let found = newest(Path::new(DEBIAN)).or_else(beside_pg_config);
        let directory = found.with_context(|| {
            format!("PostgreSQL {MAJOR_MIN} or newer is not installed: install {PACKAGE}")
        })?;
        Ok(Self { directory })
    }

    /// The newest that is installed; installs it when it is missing and we are root where there is apt.
    pub(super) fn find_or_install() -> anyhow::Result<Self> {
        let lacking = match Self::find() {
            Ok(found) => return Ok(found),
            Err(lacking) => lacking,
        };
        if !is_root()? || !installed("apt-get") {
            return Err(lacking);
        }
        eprintln!("installing {PACKAGE} with apt-get");
        let mut install = Command::new("apt-get");
        install.env("DEBIAN_FRONTEND", "noninteractive");
        install.args(["install", "--yes", "--no-install-recommends", PACKAGE]);
        output(&mut install).context(lacking)?;
        Self::find()
    }
}

/// The directory of programs of the newest version below `versions`.
fn newest(versions: &Path) -> Option<PathBuf> {
    let entries = fs::read_dir(versions).ok()?;
    let numbered = entries.filter_map(|entry| {
        let path = entry.ok()?.path();
        let major: u32 = path.file_name()?.to_str()?.parse().ok()?;
        let programs = path.join("bin");
        (major >= MAJOR_MIN && is_whole(&programs)).then_some((major, programs))
    });
    numbered.max().map(|(_, programs)| programs)
}

/// For systems that have one version: `pg_config` knows where its programs are.
fn beside_pg_config() -> Option<PathBuf> {
    let version = output(Command::new("pg_config").arg("--version")).ok()?;
    let directory = PathBuf::from(output(Command::new("pg_config").arg("--bindir")).ok()?.trim());
    (major(&version)? >= MAJOR_MIN && is_whole(&directory)).then_some(directory)
}

/// Of `PostgreSQL 15.18 (Debian …)` or `PostgreSQL 18beta1`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(1)?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

fn is_whole(directory: &Path) -> bool {
    PROGRAMS.iter().all(|program| directory.join(program).is_file())
}

/// The version of the server's programs.
///
/// # Errors
/// When they are lacking: what to install.
pub fn finding() -> anyhow::Result<String> {
    let found = Binaries::find()?;
    Ok(output(Command::new(found.path("postgres")).arg("--version"))?.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_pg_config_says() {
        assert_eq!(major("PostgreSQL 15.18 (Debian 15.18-0+deb12u1)"), Some(15));
        assert_eq!(major("PostgreSQL 18beta1"), Some(18));
        assert_eq!(major("no such thing"), None);
    }

    #[test]
    fn a_directory_without_versions_has_no_newest() {
        assert_eq!(newest(Path::new("/proc")), None);
    }
}

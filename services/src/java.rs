//! The Java that services written in it run on.

use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    path::{Path, PathBuf},
    process::Command,
};

use anyhow::Context;

use crate::{account::is_root, command::installed, command::output};

/// Where Debian and Ubuntu keep the versions beside each other.
const DEBIAN: &str = "/usr/lib/jvm";

/// What Debian and Ubuntu call the newest that they support.
const PACKAGE: &str = "default-jre-headless";

/// An installed Java.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Java {
    major: u32,
    program: PathBuf,
    build: u64,
}

impl Java {
    /// The newest that is installed, if it is `major_min` or newer.
    ///
    /// # Errors
    /// When there is none: what to install.
    pub fn find(major_min: u32) -> anyhow::Result<Self> {
        let beside = fs::read_dir(DEBIAN).into_iter().flatten().filter_map(|entry| Some(entry.ok()?.path()));
        let home = std::env::var_os("JAVA_HOME").map(PathBuf::from);
        let programs = home.into_iter().chain(beside).map(|home| home.join("bin/java"));
        let programs = programs.filter(|program| program.is_file()).chain([PathBuf::from("java")]);
        let newest = programs.filter_map(|program| Self::of(&program)).max();
        newest.filter(|java| java.major >= major_min).with_context(|| {
            format!(
                "Java {major_min} or newer is not installed: install {PACKAGE} or openjdk-{major_min}-jre-headless"
            )
        })
    }

    /// The same; installs it when it is missing and we are root where there is apt.
    ///
    /// # Errors
    /// When there is none all the same.
    pub fn find_or_install(major_min: u32) -> anyhow::Result<Self> {
        Self::find(major_min).or_else(|lacking| {
            install(lacking, PACKAGE)?;
            Self::find(major_min)
        })
    }

    fn of(program: &Path) -> Option<Self> {
        // Not `-version`, which speaks to stderr.
        let version = output(Command::new(program).arg("--version")).ok()?;
        let mut build = DefaultHasher::new();
        version.hash(&mut build);
        Some(Self { major: major(&version)?, program: program.into(), build: build.finish() })
    }

    /// Its first number, as in 17.
    pub fn major(&self) -> u32 {
        self.major
    }

    /// Different for each build of Java.
    pub(crate) fn build(&self) -> u64 {
        self.build
    }

    /// The program `java`.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// Installs `packages` with apt where we may; else the error is that they are `lacking`.
pub(crate) fn install(lacking: anyhow::Error, packages: &str) -> anyhow::Result<()> {
    if !is_root()? || !installed("apt-get") {
        return Err(lacking);
    }
    eprintln!("installing {packages} with apt-get");
    let mut install = Command::new("apt-get");
    install.env("DEBIAN_FRONTEND", "noninteractive");
    install.args(["install", "--yes", "--no-install-recommends"]).args(packages.split(' '));
    output(&mut install).context(lacking).map(drop)
}

/// Of `openjdk 17.0.15 2025-04-15` or `java 21 2023-09-19 LTS`.
fn major(version: &str) -> Option<u32> {
    let number = version.split_whitespace().nth(1)?;
    let digits = number.find(|c: char| !c.is_ascii_digit()).unwrap_or(number.len());
    number[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_what_java_says() {
        assert_eq!(major("openjdk 17.0.15 2025-04-15\nOpenJDK Runtime Environment"), Some(17));
        assert_eq!(major("java 21 2023-09-19 LTS"), Some(21));
        assert_eq!(major("Error: no such option"), None);
    }

    #[test]
    fn a_java_that_nobody_has_is_named_with_its_package() {
        let error = Java::find(9_999).unwrap_err().to_string();
        assert!(error.contains("Java 9999") && error.contains(PACKAGE), "{error}");
    }
}

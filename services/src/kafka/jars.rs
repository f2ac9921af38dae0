//! The jars of a broker: fetched by Maven once, then kept.

use crate::{
    command::{installed, output},
    java::install,
};
use anyhow::{Context, bail};
use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// Names the version too: it belongs to the directory in which the jars are kept.
const POM: &str = include_str!("../../kafka/pom.xml");

/// The package that is lacking, as apt names it.
const PACKAGE: &str = "maven";

/// What cargo writes into the directory in which it builds; the first only where it has made that directory itself.
const MARKS_OF_CARGO: [&str; 2] = ["CACHEDIR.TAG", ".rustc_info.json"];

/// Everything that a class of Kafka may need.
#[derive(Debug, Clone)]
pub(super) struct Jars {
    directory: PathBuf,
}

impl Jars {
    /// Those that were fetched before.
    pub(super) fn find() -> anyhow::Result<Self> {
        let jars = Self { directory: place()? };
        if !jars.directory.is_dir() {
            bail!("the jars of Apache Kafka {} are not fetched: run cargo xtask up", version());
        }
        Ok(jars)
    }

    /// The same; fetches them if they are missing, and Maven if we may.
    pub(super) fn find_or_fetch() -> anyhow::Result<Self> {
        if let Ok(found) = Self::find() {
            return Ok(found);
        }
        if !installed("mvn") {
            let lacking = format!("Maven, which fetches Apache Kafka, is not installed: install {PACKAGE}");
            install(anyhow::Error::msg(lacking), PACKAGE)?;
        }
        fetch(&place()?)?;
        Self::find()
    }

    /// The class path, always in the same order: an archive of loaded classes is good for one order only.
    pub(super) fn class_path(&self) -> anyhow::Result<String> {
        let entries = fs::read_dir(&self.directory).context("cannot read the jars")?;
        let mut paths = entries.map(|entry| Ok(entry?.path())).collect::<anyhow::Result<Vec<_>>>()?;
        paths.retain(|path| path.extension().is_some_and(|extension| extension == "jar"));
        paths.sort();
        let joined = env::join_paths(paths).context("the target directory has a colon in its name")?;
        joined.into_string().ok().context("the name of the target directory is not UTF-8")
    }

    /// Where to keep what belongs to exactly these jars.
    pub(super) fn directory(&self) -> &Path {
        &self.directory
    }
}

/// The version of Kafka, as in the POM.
pub(super) fn version() -> &'static str {
    let after = POM.split("<kafka.version>").nth(1).and_then(|rest| rest.split('<').next());
    after.expect("the POM, which is part of this program, names it")
}

/// Below the directory in which cargo built this program, whatever that is called.
fn place() -> anyhow::Result<PathBuf> {
    let program = env::current_exe().context("cannot see which program this is")?;
    let is_marked = |directory: &&Path| MARKS_OF_CARGO.iter().any(|mark| directory.join(mark).is_file());
    let target = program.ancestors().find(is_marked);
    let target = target.with_context(|| format!("{} was not built by cargo", program.display()))?;
    Ok(target.join("services").join("kafka").join(format!("jars-{}", version())))
}

/// All or nothing: the directory appears when it is whole.
fn fetch(wanted: &Path) -> anyhow::Result<()> {
    let partial = wanted.with_extension(format!("partial-{}", std::process::id()));
    let failed = || format!("cannot make {}", partial.display());
    fs::create_dir_all(&partial).with_context(failed)?;
    let pom = partial.join("pom.xml");
    fs::write(&pom, POM).with_context(failed)?;
    let maven = |offline: &[&str]| {
        let mut maven = Command::new("mvn");
        maven.args(offline).args(["--batch-mode", "--quiet", "--file"]).arg(&pom);
        let to = format!("-DoutputDirectory={}", partial.display());
        output(maven.args(["dependency:copy-dependencies", "-DincludeScope=runtime"]).arg(to))
    };
    // First without a network: where Maven has them already it is quicker, and it must do.
    if maven(&["--offline"]).is_err() {
        eprintln!("fetching Apache Kafka {} with Maven, once", version());
        maven(&[]).with_context(|| format!("cannot fetch Apache Kafka {}", version()))?;
    }
    let renamed = fs::rename(&partial, wanted);
    if wanted.is_dir() {
        // Another process may have been quicker.
        let _ = fs::remove_dir_all(&partial);
        return Ok(());
    }
    renamed.with_context(|| format!("cannot make {}", wanted.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_is_read_from_the_pom() {
        assert_eq!(version().split('.').count(), 3, "{}", version());
    }
}

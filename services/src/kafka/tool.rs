//! Classes of Kafka, run from the broker's jars: what it has on the command line, and the broker itself.

use super::{JAVA_MAJOR_MIN, archive, jars::Jars};
use crate::{command::output, java::Java};
use anyhow::Context;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// What classes write besides what they are asked for.
const LOGGING: &str = include_str!("../../kafka/log4j2.properties");

/// Kafka's own command-line classes, such as `org.apache.kafka.tools.TopicCommand`,
/// `org.apache.kafka.tools.consumer.ConsoleConsumer` and `org.apache.kafka.tools.ProducerPerformance`: for tests, which
/// want to see what a client that is not ours sees, and for benches.
#[derive(Debug, Clone)]
pub struct KafkaTool {
    java: Java,
    jars: Jars,
}

impl KafkaTool {
    /// Those that are installed.
    ///
    /// # Errors
    /// When Java or the jars are lacking: the next step.
    pub fn find() -> anyhow::Result<Self> {
        Ok(Self { java: Java::find(JAVA_MAJOR_MIN)?, jars: Jars::find()? })
    }

    /// The same; gets what is lacking, as far as we may.
    ///
    /// # Errors
    /// When something is lacking all the same.
    pub fn find_or_install() -> anyhow::Result<Self> {
        let tool = Self { java: Java::find_or_install(JAVA_MAJOR_MIN)?, jars: Jars::find_or_fetch()? };
        if let Err(error) = archive::make(&tool) {
            eprintln!("warning: Apache Kafka will start slowly: {error:#}");
        }
        Ok(tool)
    }

    /// Runs `class` to its end, and returns what it says on stdout.
    ///
    /// # Errors
    /// When it fails: what it says. Its arguments are part of that, so a secret belongs into a file.
    pub fn run(&self, class: &str, arguments: &[&str]) -> anyhow::Result<String> {
        output(self.command(&QUICK, class)?.args(arguments))
    }

    /// What `kafka-topics.sh` does, at the broker at `bootstrap`, HOST:PORT.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn topics(&self, bootstrap: &str, arguments: &[&str]) -> anyhow::Result<String> {
        let arguments = [&["--bootstrap-server", bootstrap], arguments].concat();
        self.run("org.apache.kafka.tools.TopicCommand", &arguments)
    }

    /// Gives `user`, who logs in, rights at the broker at `bootstrap`, HOST:PORT, that
    /// [checks them](super::RIGHTS_CHECKED): what `kafka-acls.sh` calls operations, and what they are about, as in
    /// `["--operation", "Write", "--topic", "*"]`.
    ///
    /// # Errors
    /// As for [`run`](Self::run).
    pub fn allow(&self, bootstrap: &str, user: &str, what: &[&str]) -> anyhow::Result<()> {
        let user = format!("User:{user}");
        let give = ["--bootstrap-server", bootstrap, "--add", "--allow-principal", &user];
        self.run("org.apache.kafka.tools.AclCommand", &[&give, what].concat()).map(drop)
    }

    /// `class` as a command, to be given arguments and started. Compiled as well as Java can, so that it can be
    /// measured; it needs a second longer to start than [`KafkaTool::run`].
    ///
    /// # Errors
    /// When the jars cannot be read.
    pub fn class(&self, class: &str) -> anyhow::Result<Command> {
        self.command(&[], class)
    }

    pub(super) fn java(&self) -> &Java {
        &self.java
    }

    /// Where its loaded classes are, or are to be: they serve exactly these jars and this Java.
    pub(super) fn archive(&self) -> PathBuf {
        self.jars.directory().join(format!("classes-{:x}.jsa", self.java.build()))
    }

    pub(super) fn command(&self, options: &[&str], class: &str) -> anyhow::Result<Command> {
        let logging = self.jars.directory().join("log4j2.properties");
        // What another version of this program left may differ.
        if fs::read_to_string(&logging).ok().as_deref() != Some(LOGGING) {
            write_whole(&logging, LOGGING)?;
        }
        let mut command = Command::new(self.java.program());
        // Otherwise each Java leaves a file of figures among the temporary ones when it is killed, and tells on stdout,
        // where answers are, that an archive is not to its liking.
        command.args(["-XX:-UsePerfData", "-Xlog:disable", "-Xlog:all=error:stderr"]);
        if self.archive().is_file() {
            command.arg(format!("-XX:SharedArchiveFile={}", self.archive().display()));
        }
        command.args(options);
        command.arg(format!("-Dlog4j2.configurationFile={}", logging.display()));
        command.arg("-cp").arg(self.jars.class_path()?).arg(class);
        Ok(command)
    }
}

/// For what runs for seconds: the quick compiler only, and little memory.
pub(super) const QUICK: [&str; 3] = ["-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-Xmx512m"];

/// Nobody sees it half written, though several may write it at once.
fn write_whole(path: &Path, content: &str) -> anyhow::Result<()> {
    let partial = path.with_extension(format!("partial-{}", std::process::id()));
    let written = fs::write(&partial, content).and_then(|()| fs::rename(&partial, path));
    written.with_context(|| format!("cannot write {}", path.display()))
}
